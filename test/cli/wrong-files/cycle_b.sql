CREATE VIEW cycle_b AS
SELECT order_id FROM cycle_a;
