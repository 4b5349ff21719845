-- The same balances on another way.
SELECT account, SUM(amount) AS balance FROM movements GROUP BY account;
