CREATE TABLE per_minute AS SELECT customer, COUNT(*) AS n FROM orders WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY customer;
CREATE VIEW busiest AS SELECT customer, MAX(n) AS most FROM per_minute GROUP BY customer;
CREATE VIEW listed AS SELECT * FROM per_minute WHERE n > 1;
