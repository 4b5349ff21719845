-- a view over a table that does not show the table's key carries it hidden
CREATE VIEW names AS SELECT name, country FROM customers;
