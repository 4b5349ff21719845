-- New users: who has registered and offered something within the same ten seconds.
CREATE VIEW q8 AS
SELECT p.id, p.name, p.starts
FROM (
  SELECT id, name, WINDOWSTART AS starts FROM person WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY id, name
) AS p
JOIN (
  SELECT seller, WINDOWSTART AS starts FROM auction WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY seller
) AS a ON p.id = a.seller AND p.starts = a.starts;
