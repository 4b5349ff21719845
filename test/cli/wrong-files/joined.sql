CREATE VIEW joined AS
SELECT o.order_id, c.name
FROM orders o JOIN customers c;
