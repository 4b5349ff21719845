-- Sent invoices whose due date has passed and that are not paid in full.
-- Rows appear when the day turns, with no event at all, and leave when the invoice is paid or voided.
CREATE VIEW overdue_invoices AS
SELECT
  invoice_id,
  customer_id,
  customer_name,
  customer_email,
  currency,
  balance,
  due_date
FROM invoices
WHERE status = 'sent' AND due_date < CURRENT_DATE;
