SELECT order_id, amount FROM orders WHERE amount > 100;
