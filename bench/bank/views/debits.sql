-- What each account has paid.
SELECT from_account AS account, SUM(amount) AS amount FROM transfers GROUP BY from_account;
