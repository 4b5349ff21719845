-- What each account has been paid.
SELECT to_account AS account, SUM(amount) AS amount FROM transfers GROUP BY to_account;
