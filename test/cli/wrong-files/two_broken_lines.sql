CREATE VIEW two_broken_lines AS
SELECT order_id, custmer, SUBSTRNG(placed_on, 1, 4) AS year
FROM orders;
