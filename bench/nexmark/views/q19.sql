-- The ten highest bids of each auction, with their places.
CREATE VIEW q19 AS
SELECT auction, bidder, price, channel, url, dateTime, extra, place
FROM (
  SELECT auction, bidder, price, channel, url, dateTime, extra,
         ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS place
  FROM bid
) AS bids
WHERE place <= 10;
