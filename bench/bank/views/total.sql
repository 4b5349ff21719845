-- Zero, at every position: a transfer makes and destroys no money.
SELECT SUM(balance) AS total FROM balance;
