-- How many bids each bidder made in each session: until ten seconds without a bid.
CREATE VIEW q11 AS
SELECT bidder, COUNT(*) AS bids, WINDOWSTART AS starts, WINDOWEND + 10000 AS ends
FROM bid WINDOW SESSION (10 SECONDS)
GROUP BY bidder;
