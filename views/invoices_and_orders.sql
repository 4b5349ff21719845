-- Every order with the invoice that was made for it: what was shipped and is not paid, or paid and not shipped, is seen
-- in one row. Orders without an invoice have NULL in its columns.
CREATE VIEW invoices_and_orders AS
SELECT
  o.order_id,
  o.customer_id,
  o.status AS order_status,
  o.placed_at,
  o.invoice_id,
  i.status AS invoice_status,
  i.currency,
  i.total,
  i.balance,
  i.due_date
FROM orders o LEFT JOIN invoices i ON o.invoice_id = i.invoice_id;
