-- Both sides of each transfer.
SELECT id, from_account AS account, -amount AS amount FROM transfers
UNION ALL
SELECT id, to_account, amount FROM transfers;
