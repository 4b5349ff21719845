SELECT customer, quantity FROM orders WHERE customer IN ('a', 'b') AND tags IS NOT NULL;
