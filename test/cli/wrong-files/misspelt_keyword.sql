CREATE VIEW misspelt_keyword AS
SELCT order_id
FROM orders;
