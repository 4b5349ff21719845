-- The highest bids of every ten seconds.
CREATE VIEW q7 AS
SELECT b.auction, b.bidder, b.price, b.dateTime, b.extra
FROM bid b
JOIN (
  SELECT MAX(price) AS highest, WINDOWEND AS ends
  FROM bid WINDOW TUMBLING (SIZE 10 SECONDS)
) AS m ON b.price = m.highest
WHERE b.dateTime BETWEEN FROM_UNIXTIME(m.ends - 10000) AND FROM_UNIXTIME(m.ends);
