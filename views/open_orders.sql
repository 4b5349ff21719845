-- Orders that are still to be shipped.
SELECT order_id, customer_id, placed_at, invoice_id, items
FROM orders
WHERE status = 'placed';
