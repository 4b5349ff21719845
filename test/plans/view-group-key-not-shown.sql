CREATE VIEW counts AS SELECT COUNT(*) AS n, COUNT(DISTINCT customer) AS customers FROM orders GROUP BY address->city;
