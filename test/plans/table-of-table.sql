-- a table's rows change: the aggregate takes old ones away
CREATE TABLE by_country AS SELECT country, COUNT(*) AS customers, SUM(balance) AS balance FROM customers GROUP BY country;
CREATE TABLE rich AS SELECT country, balance FROM by_country WHERE balance > 1000000;
