CREATE TABLE swiss AS SELECT id, name, balance FROM customers WHERE country = 'CH';
