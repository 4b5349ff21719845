-- The average price of the last ten auctions that each seller has closed.
CREATE VIEW q6 AS
WITH won AS (
  SELECT seller, price, dateTime, id
  FROM (
    SELECT a.id, a.seller, b.price, b.dateTime,
           ROW_NUMBER() OVER (PARTITION BY a.id, a.seller ORDER BY b.price DESC, b.dateTime) AS place
    FROM auction a JOIN bid b ON a.id = b.auction
    WHERE b.dateTime BETWEEN a.dateTime AND a.expires
  ) AS bids
  WHERE place <= 1
)
SELECT seller, AVG(price) AS average
FROM (
  SELECT seller, price, ROW_NUMBER() OVER (PARTITION BY seller ORDER BY dateTime DESC, id DESC) AS place FROM won
) AS last
WHERE place <= 10
GROUP BY seller;
