CREATE VIEW cycle_a AS
SELECT order_id FROM cycle_b;
