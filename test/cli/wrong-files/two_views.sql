CREATE VIEW two_views AS
SELECT order_id FROM orders;
CREATE VIEW second_view AS
SELECT amount FROM orders;
