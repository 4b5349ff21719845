CREATE STREAM big AS SELECT id, amount FROM orders WHERE amount > 100;
CREATE STREAM everything AS SELECT id, amount FROM orders WHERE quantity > 10;
INSERT INTO everything SELECT id, amount FROM orders WHERE amount > 100;
CREATE STREAM audit (id STRING KEY, amount DECIMAL(20, 2)) WITH (KAFKA_TOPIC = 'audit', VALUE_FORMAT = 'JSON');
INSERT INTO audit SELECT * FROM everything;
INSERT INTO big VALUES ('x', 101.5);
CREATE STREAM audited AS SELECT * FROM audit WHERE amount > 0;
