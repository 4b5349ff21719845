--@test: money of one day and currency adds up exactly
INSERT INTO payments (payment_key, amount, currency, paid_on) VALUES ('p1', 0.10, 'EUR', '2026-03-01');
INSERT INTO payments (payment_key, amount, currency, paid_on) VALUES ('p2', 0.20, 'EUR', '2026-03-01');
INSERT INTO payments (payment_key, amount, currency, paid_on) VALUES ('p3', 5.00, 'USD', '2026-03-01');
ASSERT VALUES revenue_by_day (day, currency, payments, revenue) VALUES ('2026-03-01', 'EUR', 1, 0.10);
ASSERT VALUES revenue_by_day (day, currency, payments, revenue) VALUES ('2026-03-01', 'EUR', 2, 0.30);
ASSERT VALUES revenue_by_day (day, currency, payments, revenue) VALUES ('2026-03-01', 'USD', 1, 5.00);
