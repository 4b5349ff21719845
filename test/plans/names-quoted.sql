CREATE STREAM "Mixed" ("Key" STRING KEY, "value" INT, Value2 INT) WITH (KAFKA_TOPIC = 'mixed', VALUE_FORMAT = 'JSON');
CREATE STREAM out AS SELECT "Key", value, VALUE2 AS "Renamed" FROM "Mixed" m WHERE m.value2 > 0;
