-- How each customer pays: how many payments came after the due date, and how many days late on average and at worst.
-- Negative days are early.
CREATE VIEW payment_behaviour AS
SELECT
  customer_id,
  COUNT(*) AS payments,
  COUNT(DISTINCT invoice_id) AS invoices,
  SUM(CASE WHEN CAST(paid_on AS DATE) > CAST(due_date AS DATE) THEN 1 ELSE 0 END) AS late_payments,
  AVG(UNIX_DATE(CAST(paid_on AS DATE)) - UNIX_DATE(CAST(due_date AS DATE))) AS average_days_late,
  MAX(UNIX_DATE(CAST(paid_on AS DATE)) - UNIX_DATE(CAST(due_date AS DATE))) AS worst_days_late
FROM payments
GROUP BY customer_id;
