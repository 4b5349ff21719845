-- What each customer was billed, has paid and owes, by currency and status of the invoice.
CREATE VIEW invoice_totals AS
SELECT
  customer_id,
  currency,
  status,
  COUNT(*) AS invoices,
  SUM(total) AS total,
  SUM(paid) AS paid,
  SUM(balance) AS balance
FROM invoices
GROUP BY customer_id, currency, status;
