CREATE STREAM near AS SELECT o.id, o.amount, c.url FROM orders o JOIN clicks c WITHIN (1 HOUR, 10 MINUTES) ON o.id = c.url;
CREATE STREAM waiting AS SELECT o.customer, o.id, c.user_id FROM orders o LEFT JOIN clicks c WITHIN 5 MINUTES GRACE PERIOD 1 MINUTE ON o.customer = c.url WHERE o.amount > 10;
CREATE STREAM either AS SELECT ROWKEY AS k, o.ROWTIME AS ordered, c.ROWTIME AS clicked, c.ROWOFFSET AS click FROM orders o FULL JOIN clicks c WITHIN 5 MINUTES ON UCASE(o.customer) = UCASE(c.url);
CREATE STREAM named AS SELECT o.customer, o.id, c.name FROM orders o LEFT JOIN customers c ON o.customer = c.id;
CREATE STREAM raw (device STRING KEY, value DOUBLE) WITH (KAFKA_TOPIC = 'raw', VALUE_FORMAT = 'JSON', WINDOW_TYPE = 'TUMBLING', WINDOW_SIZE = '10 SECONDS');
CREATE STREAM windows AS SELECT * FROM readings r JOIN raw w WITHIN 1 MINUTE ON r.device = w.device;
CREATE TABLE per_country AS SELECT c.country, SUM(o.amount) AS total FROM orders o JOIN customers c ON o.customer = c.id WINDOW TUMBLING (SIZE 1 DAY) GROUP BY c.country;
CREATE STREAM chain AS SELECT o.id, o.customer, k.url, c.name, c.country FROM orders o JOIN clicks k WITHIN 1 HOUR ON o.id = k.url LEFT JOIN customers c ON o.customer = c.id PARTITION BY o.id;
