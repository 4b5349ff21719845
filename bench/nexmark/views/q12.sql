-- How many bids of each bidder came in within ten seconds of the clock.
CREATE VIEW q12 AS
SELECT bidder, COUNT(*) AS bids, WINDOWSTART AS starts, WINDOWEND AS ends
FROM arriving_bid WINDOW TUMBLING (SIZE 10 SECONDS)
GROUP BY bidder;
