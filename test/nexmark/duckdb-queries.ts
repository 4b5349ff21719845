/**
 * The 23 queries as batch queries for DuckDB, over tables with the rows up to a position, in order of `seq`. Written
 * without windows, views and functions of Millrace: windows are arithmetic on ms, an average is one of whole numbers.
 */

/** beginnings of windows of 10 s that advance by `step`, in which an instant lies */
const windows = (instant: string, step: number): string =>
  `unnest(range(${instant} // ${step} * ${step} - 10000 + ${step}, ${instant} // ${step} * ${step} + 1, ${step}))`;

const ms = (column: string): string => `epoch_ms(${column})`;

const WON = `
  SELECT a.id, a.seller, a.category, b.price, b.dateTime,
         row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.dateTime, b.seq) AS place
  FROM auction a JOIN bid b ON a.id = b.auction AND b.dateTime >= a.dateTime AND b.dateTime <= a.expires`;

const RANGES = `
  count(*) AS total_bids,
  count(CASE WHEN price < 10000 THEN 1 END),
  count(CASE WHEN price >= 10000 AND price < 1000000 THEN 1 END),
  count(CASE WHEN price >= 1000000 THEN 1 END)`;

const DISTINCT_RANGES = ['bidder', 'auction']
  .map(
    column => `
  count(DISTINCT ${column}),
  count(DISTINCT CASE WHEN price < 10000 THEN ${column} END),
  count(DISTINCT CASE WHEN price >= 10000 AND price < 1000000 THEN ${column} END),
  count(DISTINCT CASE WHEN price >= 1000000 THEN ${column} END)`,
  )
  .join(',');

const DAY = `strftime(dateTime, '%Y-%m-%d')`;
const CHANNEL_ID = `CASE WHEN regexp_matches(url, '(&|^)channel_id=([^&]*)')
  THEN regexp_extract(url, '(&|^)channel_id=([^&]*)', 2) END`;

export const DUCKDB_QUERIES: Readonly<Record<string, string>> = {
  q0: 'SELECT auction, bidder, price, dateTime, extra FROM bid',
  q1: 'SELECT auction, bidder, price::DECIMAL(19, 0) * 0.908 AS price, dateTime, extra FROM bid',
  q2: 'SELECT auction, price FROM bid WHERE auction % 123 = 0',
  q3: `
    SELECT name, city, state, a.id FROM auction a, person p
    WHERE a.seller = p.id AND category = 10 AND (state = 'OR' OR state = 'ID' OR state = 'CA')`,
  q4: `
    SELECT category, avg(price) AS average FROM (${WON}) WHERE place = 1 GROUP BY category`,
  q5: `
    SELECT auction, num, starts, starts + 10000 AS ends
    FROM (
      SELECT auction, starts, num, rank() OVER (PARTITION BY starts ORDER BY num DESC) AS place
      FROM (
        SELECT auction, starts, count(*) AS num
        FROM (SELECT auction, ${windows(ms('dateTime'), 2000)} AS starts FROM bid)
        GROUP BY auction, starts))
    WHERE place = 1`,
  q6: `
    SELECT seller, avg(price) AS average
    FROM (
      SELECT seller, price, row_number() OVER (PARTITION BY seller ORDER BY dateTime DESC, id DESC) AS lately
      FROM (${WON}) WHERE place = 1)
    WHERE lately <= 10 GROUP BY seller`,
  q7: `
    SELECT b.auction, b.bidder, b.price, b.dateTime, b.extra
    FROM (SELECT ${ms('dateTime')} // 10000 * 10000 AS starts, max(price) AS highest FROM bid GROUP BY starts) m
    JOIN bid b ON price = highest AND ${ms('b.dateTime')} BETWEEN starts AND starts + 10000`,
  q8: `
    SELECT DISTINCT p.id, p.name, ${ms('p.dateTime')} // 10000 * 10000 AS starts
    FROM person p JOIN auction a
      ON p.id = a.seller AND ${ms('p.dateTime')} // 10000 = ${ms('a.dateTime')} // 10000`,
  q9: `
    SELECT id, itemName, description, initialBid, reserve, dateTime, expires, seller, category, extra,
           auction, bidder, price, bid_dateTime, bid_extra
    FROM (
      SELECT a.*, b.auction, b.bidder, b.price, b.dateTime AS bid_dateTime, b.extra AS bid_extra,
             row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.dateTime, b.seq) AS place
      FROM auction a JOIN bid b ON a.id = b.auction AND b.dateTime >= a.dateTime AND b.dateTime <= a.expires)
    WHERE place = 1`,
  q10: `
    SELECT auction, bidder, price, dateTime, extra, ${DAY} AS dt, strftime(dateTime, '%H:%M') AS hm FROM bid`,
  q11: `
    SELECT bidder, count(*) AS bids, min(moment) AS starts, max(moment) + 10000 AS ends
    FROM (
      SELECT bidder, moment,
             count(CASE WHEN gap > 10000 THEN 1 END) OVER (PARTITION BY bidder ORDER BY moment, seq) AS session
      FROM (
        SELECT bidder, seq, moment, moment - lag(moment) OVER (PARTITION BY bidder ORDER BY moment, seq) AS gap
        FROM (SELECT bidder, seq, ${ms('dateTime')} AS moment FROM bid)))
    GROUP BY bidder, session`,
  q12: `
    SELECT bidder, count(*) AS bids, arrived // 10000 * 10000 AS starts, arrived // 10000 * 10000 + 10000 AS ends
    FROM bid GROUP BY bidder, arrived // 10000`,
  q13: `
    SELECT s.id, auction, bidder, price, dateTime, value
    FROM bid b JOIN side_input s ON auction % 10000 = s.id AND s.seq < b.seq`,
  q14: `
    SELECT auction, bidder, price::DECIMAL(19, 0) * 0.908 AS price,
           CASE
             WHEN hour(dateTime) < 7 OR hour(dateTime) > 19 THEN 'nightTime'
             WHEN hour(dateTime) IN (7, 19) THEN 'otherTime'
             ELSE 'dayTime'
           END AS bidTimeType,
           dateTime, extra, length(regexp_replace(extra, '[^c]', '', 'g')) AS c_counts
    FROM bid WHERE price * 908 > 1000000000 AND price * 908 < 50000000000`,
  q15: `SELECT ${DAY} AS day, ${RANGES}, ${DISTINCT_RANGES} FROM bid GROUP BY day`,
  q16: `
    SELECT channel, ${DAY} AS day, strftime(max(dateTime), '%H:%M') AS minute, ${RANGES}, ${DISTINCT_RANGES}
    FROM bid GROUP BY channel, day`,
  q17: `
    SELECT auction, ${DAY} AS day, ${RANGES}, min(price), max(price), avg(price), sum(price)
    FROM bid GROUP BY auction, day`,
  q18: `
    SELECT auction, bidder, price, channel, url, dateTime, extra
    FROM (SELECT *, row_number() OVER (PARTITION BY bidder, auction ORDER BY dateTime DESC, seq) AS place FROM bid)
    WHERE place = 1`,
  q19: `
    SELECT auction, bidder, price, channel, url, dateTime, extra, place
    FROM (SELECT *, row_number() OVER (PARTITION BY auction ORDER BY price DESC, seq) AS place FROM bid)
    WHERE place <= 10`,
  q20: `
    SELECT auction, bidder, price, channel, url, b.dateTime, b.extra,
           itemName, description, initialBid, reserve, a.dateTime, expires, seller, category, a.extra
    FROM auction a JOIN bid b ON auction = a.id AND category = 10`,
  q21: `
    SELECT auction, bidder, price, channel, coalesce(
             map_extract_value(MAP {'apple': '0', 'google': '1', 'facebook': '2', 'baidu': '3'}, lower(channel)),
             ${CHANNEL_ID}) AS channel_id
    FROM bid WHERE channel_id IS NOT NULL`,
  q22: `
    SELECT auction, bidder, price, channel, list_extract(folders, 4), list_extract(folders, 5), list_extract(folders, 6)
    FROM (SELECT *, string_split(url, '/') AS folders FROM bid)`,
};
