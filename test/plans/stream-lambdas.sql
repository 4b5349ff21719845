CREATE STREAM lengths AS
SELECT id, TRANSFORM(tags, t => LEN(t) + quantity) AS lengths, FILTER(tags, t => t LIKE 'a%') AS a_tags,
  REDUCE(tags, '', (s, t) => s + t) AS joined
FROM orders;
