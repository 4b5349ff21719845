-- Pages that users have looked at.
CREATE STREAM page_views (
  user_id STRING,
  page STRING,
  referrer STRING
) WITH (KAFKA_TOPIC = 'page-views', VALUE_FORMAT = 'JSON');
