-- The list of invoices: one record each, without those that were deleted as drafts.
SELECT
  invoice_id,
  version,
  customer_id,
  customer_name,
  currency,
  status,
  issue_date,
  due_date,
  total,
  paid,
  balance,
  updated_at
FROM invoices
WHERE status <> 'deleted';
