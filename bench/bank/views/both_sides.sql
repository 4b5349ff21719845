-- Each transfer as the join of its two sides: how many there are, and their amounts against each other. Always 0.
SELECT COUNT(*) AS transfers, SUM(p.amount + r.amount) AS difference
FROM movements p JOIN movements r ON p.id = r.id AND p.amount < 0 AND r.amount > 0;
