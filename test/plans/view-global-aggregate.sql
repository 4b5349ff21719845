CREATE VIEW all_orders AS SELECT COUNT(*) AS n, SUM(amount) FILTER (WHERE quantity > 1) AS total FROM orders;
