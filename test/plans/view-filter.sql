CREATE VIEW positive AS SELECT amount, customer FROM orders WHERE amount > 0;
