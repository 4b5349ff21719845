-- Where both ways do not agree: never a row.
SELECT account, b.balance AS joined, u.balance AS united
FROM balance b FULL JOIN balance_by_union u USING (account)
WHERE b.balance IS DISTINCT FROM u.balance;
