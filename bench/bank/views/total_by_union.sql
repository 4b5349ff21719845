SELECT SUM(balance) AS total FROM balance_by_union;
