-- A stream made a table: the page views of each user counted. Its changes (GET /views/pageviews_per_user/changes, and
-- the topic pageviews-per-user) are the table made a stream again.
CREATE TABLE pageviews_per_user WITH (KAFKA_TOPIC = 'pageviews-per-user') AS
SELECT
  user_id,
  COUNT(*) AS views,
  LATEST_BY_OFFSET(page) AS last_page
FROM page_views
GROUP BY user_id;
