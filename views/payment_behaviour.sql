-- How each customer pays: how many payments came after the due date, and how many days late on average and at worst.
-- Negative days are early.
CREATE VIEW payment_behaviour AS
SELECT
  customer_id,
  COUNT(*) AS payments,
  COUNT(DISTINCT invoice_id) AS invoices,
  SUM(CASE WHEN paid_on > due_date THEN 1 ELSE 0 END) AS late_payments,
  AVG(UNIX_DATE(paid_on) - UNIX_DATE(due_date)) AS average_days_late,
  MAX(UNIX_DATE(paid_on) - UNIX_DATE(due_date)) AS worst_days_late
FROM payments
GROUP BY customer_id;
