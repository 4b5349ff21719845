-- Money received, by the day of the payment and currency.
CREATE VIEW revenue_by_day AS
SELECT
  CAST(paid_on AS DATE) AS day,
  currency,
  COUNT(*) AS payments,
  SUM(amount) AS revenue
FROM payments
GROUP BY CAST(paid_on AS DATE), currency;
