-- Articles of which open orders want more than the warehouse has, and how much is missing.
CREATE VIEW items_to_restock AS
WITH wanted AS (
  SELECT item->sku AS sku, COUNT(*) AS orders, SUM(item->quantity) AS pieces
  FROM open_orders o, UNNEST(o.items) AS item
  GROUP BY item->sku
)
SELECT
  w.sku,
  w.orders,
  w.pieces AS wanted,
  COALESCE(s.on_hand, 0) AS on_hand,
  w.pieces - COALESCE(s.on_hand, 0) AS missing
FROM wanted w LEFT JOIN stock_on_hand s ON w.sku = s.sku
WHERE w.pieces > COALESCE(s.on_hand, 0);
