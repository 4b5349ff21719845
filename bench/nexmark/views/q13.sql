-- Every bid with what a small table says of it.
CREATE STREAM q13 AS
SELECT s.id AS id, b.auction, b.bidder, b.price, b.dateTime, s.value
FROM bid b JOIN side_input s ON MOD(b.auction, 10000) = s.id
EMIT CHANGES;
