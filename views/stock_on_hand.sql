-- How much of each article lies in the warehouse: the sum of all that came and went.
CREATE VIEW stock_on_hand AS
SELECT sku, SUM(quantity) AS on_hand, COUNT(*) AS movements
FROM inventory
GROUP BY sku;
