-- Money received, by the day of the payment and currency.
CREATE VIEW revenue_by_day AS
SELECT
  paid_on AS day,
  currency,
  COUNT(*) AS payments,
  SUM(amount) AS revenue
FROM payments
GROUP BY paid_on, currency;
