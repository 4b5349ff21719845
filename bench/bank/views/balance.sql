-- What each account has: an account that has only paid, or has only been paid, has a balance too.
SELECT account, COALESCE(c.amount, 0) - COALESCE(d.amount, 0) AS balance
FROM credits c FULL JOIN debits d USING (account);
