-- Every bid with the day and minute by which it is filed.
CREATE VIEW q10 AS
SELECT auction, bidder, price, dateTime, extra,
       FORMAT_TIMESTAMP(dateTime, 'yyyy-MM-dd') AS dt, FORMAT_TIMESTAMP(dateTime, 'HH:mm') AS hm
FROM bid;
