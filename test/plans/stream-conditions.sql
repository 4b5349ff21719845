CREATE STREAM conditions AS SELECT id,
  CASE WHEN quantity BETWEEN 1 AND 5 THEN 'few' WHEN quantity IN (6, 7) THEN 'some' ELSE NULL END AS size,
  CASE quantity WHEN 1 THEN 1 ELSE 2.5 END AS factor,
  NOT (customer LIKE 'x\_%' ESCAPE '\') AS no_x, amount IS DISTINCT FROM 0 AS paid, tags[1] AS first_tag,
  CAST(amount AS STRING) AS text, MAP('a' := quantity, 'b' := 2) AS m, ARRAY[quantity, 1.5] AS a
FROM orders WHERE due < '2026-12-31' OR placed_at >= '2026-01-01';
