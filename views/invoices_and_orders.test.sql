--@test: an order is seen before it has an invoice, and follows the invoice from then on
INSERT INTO orders (order_id, customer_id, status) VALUES ('o-1', 'c-1', 'placed');
ASSERT VALUES invoices_and_orders (order_id, order_status, invoice_id, balance) VALUES ('o-1', 'placed', NULL, NULL);
INSERT INTO orders (order_id, customer_id, status, invoice_id) VALUES ('o-1', 'c-1', 'placed', 'i-1');
ASSERT VALUES invoices_and_orders (order_id, invoice_id, invoice_status) VALUES ('o-1', 'i-1', NULL);
INSERT INTO invoices (invoice_id, status, currency, total, balance) VALUES ('i-1', 'sent', 'EUR', 119.00, 119.00);
ASSERT VALUES invoices_and_orders (order_id, order_status, invoice_status, balance)
  VALUES ('o-1', 'placed', 'sent', 119.00);
INSERT INTO invoices (invoice_id, status, currency, total, balance) VALUES ('i-1', 'paid', 'EUR', 119.00, 0.00);
ASSERT VALUES invoices_and_orders (order_id, order_status, invoice_status, balance)
  VALUES ('o-1', 'placed', 'paid', 0.00);

--@test: one invoice may stand for several orders
INSERT INTO orders (order_id, customer_id, status, invoice_id) VALUES ('o-1', 'c-1', 'shipped', 'i-1');
INSERT INTO orders (order_id, customer_id, status, invoice_id) VALUES ('o-2', 'c-1', 'placed', 'i-1');
INSERT INTO invoices (invoice_id, status, currency, total, balance) VALUES ('i-1', 'void', 'EUR', 119.00, 0.00);
ASSERT VALUES invoices_and_orders (order_id, order_status, invoice_status) VALUES ('o-1', 'shipped', NULL);
ASSERT VALUES invoices_and_orders (order_id, order_status, invoice_status) VALUES ('o-2', 'placed', NULL);
ASSERT VALUES invoices_and_orders (order_id, order_status, invoice_status) VALUES ('o-1', 'shipped', 'void');
ASSERT VALUES invoices_and_orders (order_id, order_status, invoice_status) VALUES ('o-2', 'placed', 'void');
