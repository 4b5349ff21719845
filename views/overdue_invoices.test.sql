--@test: an invoice is overdue when the day after its due date begins
INSERT INTO invoices (invoice_id, status, balance, due_date) VALUES ('i-1', 'sent', 119.00, '2026-03-31');
INSERT INTO invoices (invoice_id, status, balance, due_date) VALUES ('i-2', 'draft', 50.00, '2026-03-31');
ADVANCE CLOCK TO '2026-04-01T00:00:00';
ASSERT VALUES overdue_invoices (invoice_id, balance, due_date) VALUES ('i-1', 119.00, '2026-03-31');

--@test: it leaves when it is paid
ADVANCE CLOCK TO '2026-04-02T00:00:00';
INSERT INTO invoices (invoice_id, status, balance, due_date) VALUES ('i-1', 'sent', 119.00, '2026-03-31');
INSERT INTO invoices (invoice_id, status, balance, due_date) VALUES ('i-1', 'paid', 0.00, '2026-03-31');
ASSERT VALUES overdue_invoices (invoice_id) VALUES ('i-1');
ASSERT NULL VALUES overdue_invoices (invoice_id) KEY ('i-1');
