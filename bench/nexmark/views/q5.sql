-- Hot items: the auctions with most bids in the last ten seconds, every two seconds.
CREATE VIEW q5 AS
WITH bids AS (
  SELECT auction, COUNT(*) AS num, WINDOWSTART AS starts, WINDOWEND AS ends
  FROM bid WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 2 SECONDS)
  GROUP BY auction
)
SELECT b.auction, b.num, b.starts, b.ends
FROM bids b
JOIN (SELECT starts, MAX(num) AS most FROM bids GROUP BY starts) AS m ON b.starts = m.starts
WHERE b.num >= m.most;
