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
  CAST(due_date AS DATE) AS due_date
FROM invoices
WHERE status = 'sent' AND CAST(due_date AS DATE) < CURRENT_DATE;
