import fc from 'fast-check';
import type { LogRecord } from '../../../src/core/log-record.ts';
import { TICK_TOPIC } from '../../../src/core/log-record.ts';

/** Random scripts over two sources, and random histories of their topics. */

export const SOURCES = `
CREATE STREAM s (id STRING KEY, a INT, b BIGINT, m DECIMAL(6, 2), d DOUBLE, t STRING, f BOOLEAN, l ARRAY<INT>)
  WITH (kafka_topic = 's', value_format = 'JSON');
CREATE TABLE tab (id STRING PRIMARY KEY, x INT, y STRING, p DECIMAL(8, 2), due TIMESTAMP, day DATE)
  WITH (kafka_topic = 'tab', value_format = 'JSON');
`;

export const pick = <T>(...items: T[]) => fc.constantFrom(...items);
const some = <T>(item: fc.Arbitrary<T>, max: number) => fc.array(item, { minLength: 1, maxLength: max });

const streamPredicate = pick(
  'a > 1',
  'a IS NULL',
  "t = 'x' OR b > 3",
  'm >= 1.5 AND d < 10',
  'NOT f',
  "t LIKE 'x%'",
  'a IN (1, 2, 3)',
  'b BETWEEN -1 AND 4',
  "CASE WHEN f THEN a > 0 ELSE t <> 'y' END",
  '10 / a > 2',
);

const streamColumn = pick(
  'a + 1',
  'b * 2',
  'm + 0.5',
  'm * m',
  'd / a',
  'a / (a - 1)',
  'UCASE(t)',
  'CONCAT(t, id)',
  'CAST(a AS STRING)',
  'CAST(t AS INT)',
  'COALESCE(t, id)',
  'ARRAY_LENGTH(l)',
  'l[1]',
  'ROWTIME',
  'f AND a > 0',
  'a',
  'm',
  'd',
  't',
);

const streamAggregate = pick(
  'COUNT(*)',
  'COUNT(a)',
  'COUNT(DISTINCT t)',
  'SUM(a)',
  'SUM(b)',
  'SUM(m)',
  'SUM(d)',
  'SUM(a + b)',
  'SUM(10 / a)',
  'AVG(a)',
  'AVG(m)',
  'AVG(d)',
  'MIN(a)',
  'MAX(b)',
  'MIN(m)',
  'MAX(d)',
  'MIN(d)',
  'MAX(t)',
  'COLLECT_LIST(a)',
  'COLLECT_SET(t)',
  'LATEST_BY_OFFSET(a)',
  'EARLIEST_BY_OFFSET(t)',
);

const viewAggregate = pick(
  'COUNT(*)',
  'COUNT(x)',
  'COUNT(DISTINCT y)',
  'SUM(x)',
  'SUM(p)',
  'AVG(x)',
  'AVG(p)',
  'MIN(p)',
  'MAX(x)',
  'MIN(y)',
);

const window = pick(
  '',
  'WINDOW TUMBLING (SIZE 4 SECONDS, GRACE PERIOD 2 SECONDS)',
  'WINDOW TUMBLING (SIZE 3 SECONDS, GRACE PERIOD 0 SECONDS)',
  'WINDOW TUMBLING (SIZE 5 SECONDS)',
  'WINDOW HOPPING (SIZE 4 SECONDS, ADVANCE BY 1 SECONDS, GRACE PERIOD 1 SECONDS)',
  'WINDOW TUMBLING (SIZE 2 SECONDS, RETENTION 6 SECONDS, GRACE PERIOD 3 SECONDS)',
  'WINDOW HOPPING (SIZE 4 SECONDS, ADVANCE BY 3 SECONDS, RETENTION 5 SECONDS, GRACE PERIOD 1 SECONDS)',
  'WINDOW SESSION (2 SECONDS, GRACE PERIOD 3 SECONDS)',
);

const groupKey = pick('t', 'a', 'id', 'f', 'm', 'd', 't, a', 'UCASE(t)', 'a + 1', 'f, m', '10 / a', 'l');
const having = pick(
  '',
  '',
  'HAVING COUNT(*) > 1',
  'HAVING SUM(a) > 2',
  'HAVING COUNT(*) < 3',
  'HAVING 6 / COUNT(*) > 2',
);
const changes = pick('EMIT CHANGES', 'EMIT CHANGES', 'EMIT FINAL', 'EMIT FINAL CLOSE AFTER 2 SECONDS');

const named = (columns: readonly string[]) => columns.map((c, i) => `${c} AS c${i}`).join(', ');
/** sessions merge, and what was DISTINCT in one of them cannot be merged */
const mergeable = (columns: readonly string[], win: string) =>
  win.includes('SESSION') ? columns.map(c => c.replace('DISTINCT ', '')) : columns;
const keyColumns = (key: string) =>
  key
    .split(/, (?![^(]*\))/)
    .map((k, i) => `${k} AS k${i}`)
    .join(', ');

/** Statements that define `name`. */
export type Make = (name: string) => string;

const filterStream: fc.Arbitrary<Make> = fc
  .tuple(some(streamColumn, 4), fc.option(streamPredicate), fc.boolean())
  .map(([columns, where, all]) => name => {
    const list = all ? '*' : `id, ${named(columns)}`;
    return `CREATE STREAM ${name} AS SELECT ${list} FROM s ${where ? `WHERE ${where}` : ''} EMIT CHANGES;`;
  });

const explodeStream: fc.Arbitrary<Make> = fc
  .option(streamPredicate)
  .map(
    where => name =>
      `CREATE STREAM ${name} AS SELECT id, a, EXPLODE(l) AS e FROM s ${where ? `WHERE ${where}` : ''} EMIT CHANGES;`,
  );

const rekeyStream: fc.Arbitrary<Make> = pick('t', 'a', 'UCASE(t)', 'id', 'b + 1').map(
  key => name =>
    `CREATE STREAM ${name} WITH (key_format = 'JSON') AS SELECT * FROM s PARTITION BY ${key} EMIT CHANGES;`,
);

const strictAggregate = streamAggregate.map(a => a.replace('COUNT(DISTINCT t)', 'COUNT_DISTINCT(t)'));

const groupStream: fc.Arbitrary<Make> = fc
  .tuple(groupKey, some(strictAggregate, 4), window, fc.option(streamPredicate), having, changes)
  .map(
    ([key, aggregates, win, where, has, emit]) =>
      name =>
        `CREATE TABLE ${name} WITH (key_format = 'JSON') AS SELECT ${keyColumns(key)}, ${named(mergeable(aggregates, win))} FROM s ${win}
     ${where ? `WHERE ${where}` : ''} GROUP BY ${key} ${has} ${win === '' ? 'EMIT CHANGES' : emit};`,
  );

const groupStreamAsView: fc.Arbitrary<Make> = fc
  .tuple(groupKey, some(streamAggregate, 3), window, having)
  .map(
    ([key, aggregates, win, has]) =>
      name =>
        `CREATE VIEW ${name} AS SELECT ${keyColumns(key)}, ${named(mergeable(aggregates, win))} FROM s ${win} GROUP BY ${key} ${has};`,
  );

const groupExploded: fc.Arbitrary<Make> = fc
  .tuple(some(pick('COUNT(*)', 'SUM(e)', 'COLLECT_LIST(e)', 'MAX(e)'), 3), window, changes)
  .map(
    ([aggregates, win, emit]) =>
      name =>
        `CREATE STREAM ${name}_in AS SELECT id, EXPLODE(l) AS e FROM s EMIT CHANGES;
     CREATE TABLE ${name} WITH (key_format = 'JSON') AS SELECT e, ${named(aggregates)} FROM ${name}_in ${win} GROUP BY e
     ${win === '' ? 'EMIT CHANGES' : emit};`,
  );

const filterTable: fc.Arbitrary<Make> = fc
  .tuple(pick('x > 1', "y = 'x'", 'p IS NOT NULL', '10 / x > 2'), pick('TABLE', 'VIEW'))
  .map(
    ([where, kind]) =>
      name =>
        `CREATE ${kind} ${name} AS SELECT id, x + 1 AS x1, y, p FROM tab WHERE ${where}${kind === 'TABLE' ? ' EMIT CHANGES' : ''};`,
  );

const groupTable: fc.Arbitrary<Make> = fc
  .tuple(pick('y', 'x', 'y, x', 'p', ''), some(viewAggregate, 4), pick('', 'HAVING COUNT(*) > 1'))
  .map(
    ([key, aggregates, has]) =>
      name =>
        key === ''
          ? `CREATE VIEW ${name} AS SELECT ${named(aggregates)} FROM tab;`
          : `CREATE VIEW ${name} AS SELECT ${keyColumns(key)}, ${named(aggregates)} FROM tab GROUP BY ${key} ${has};`,
  );

const strictGroupTable: fc.Arbitrary<Make> = fc
  .tuple(pick('y', 'x', 'y, x'), some(pick('COUNT(*)', 'SUM(x)', 'COUNT(p)', 'AVG(x)'), 3))
  .map(
    ([key, aggregates]) =>
      name =>
        `CREATE TABLE ${name} WITH (key_format = 'JSON') AS SELECT ${keyColumns(key)}, ${named(aggregates)} FROM tab GROUP BY ${key} EMIT CHANGES;`,
  );

const temporal: fc.Arbitrary<Make> = fc
  .tuple(
    pick(
      'due < CURRENT_TIMESTAMP',
      'due >= CURRENT_TIMESTAMP',
      'day < CURRENT_DATE',
      'due <= CURRENT_TIMESTAMP AND x > 1',
    ),
    fc.boolean(),
  )
  .map(
    ([where, grouped]) =>
      name =>
        grouped
          ? `CREATE VIEW ${name}_in AS SELECT id, x, y FROM tab WHERE ${where};
         CREATE VIEW ${name} AS SELECT y, COUNT(*) AS n, SUM(x) AS sx FROM ${name}_in GROUP BY y;`
          : `CREATE VIEW ${name} AS SELECT id, x, due FROM tab WHERE ${where};`,
  );

const viewOverView: fc.Arbitrary<Make> = fc
  .tuple(groupKey, window, pick('n > 1', 'n < 4', '12 / n > 2'), pick('', ' WHERE total > 1'))
  .map(
    ([key, win, has, where]) =>
      name =>
        `CREATE TABLE ${name}_g WITH (key_format = 'JSON') AS SELECT ${keyColumns(key)}, COUNT(*) AS n, SUM(a) AS total FROM s ${win} GROUP BY ${key} EMIT CHANGES;
     CREATE VIEW ${name}_f AS SELECT * FROM ${name}_g WHERE ${has};
     CREATE VIEW ${name} AS SELECT n, COUNT(*) AS groups, SUM(total) AS sum_total FROM ${name}_f${where} GROUP BY n;`,
  );

const union: fc.Arbitrary<Make> = fc.tuple(streamPredicate, streamPredicate, pick('t', 'id')).map(
  ([one, two, key]) =>
    name =>
      `CREATE STREAM ${name}_u AS SELECT id, a, t FROM s WHERE ${one} EMIT CHANGES;
     INSERT INTO ${name}_u SELECT id, a + 100 AS a, t FROM s WHERE ${two};
     CREATE TABLE ${name} WITH (key_format = 'JSON') AS SELECT ${key}, COUNT(*) AS n, COLLECT_LIST(a) AS l FROM ${name}_u GROUP BY ${key} EMIT CHANGES;`,
);

const make: fc.Arbitrary<Make> = fc.oneof(
  filterStream,
  explodeStream,
  rekeyStream,
  { weight: 5, arbitrary: groupStream },
  { weight: 3, arbitrary: groupStreamAsView },
  groupExploded,
  filterTable,
  { weight: 2, arbitrary: groupTable },
  strictGroupTable,
  { weight: 2, arbitrary: temporal },
  { weight: 2, arbitrary: viewOverView },
  union,
);

export const script = (make: fc.Arbitrary<Make>): fc.Arbitrary<string> =>
  make.map(m => m('q').replaceAll(/\n\s+/g, ' '));

export const statement = script(make);

export const value = (fields: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<string> =>
  fc.record(fields, { requiredKeys: [] }).map(
    r =>
      `{${Object.entries(r)
        .map(([k, v]) => `"${k}":${v}`)
        .join(',')}}`,
  );

const streamValue = value({
  a: pick('0', '1', '1', '2', '3', 'null', '-1', '2147483647', '"x"', '1.7'),
  b: pick('0', '2', '9007199254740993', '-9223372036854775808', 'null', '9223372036854775807'),
  m: pick('1.5', '2', '0.25', '9999.99', '-3.1', 'null', '"1.10"', '0.001'),
  d: pick('0.1', '-0', '1e300', '2.5', '0.2', '12345678901234567', 'null'),
  t: pick('"x"', '"y"', '"xé"', '"a\\u0062"', 'null', '7'),
  f: pick('true', 'false', 'null'),
  l: pick('[]', '[1]', '[1,2,2]', '[null,3]', 'null'),
});

const tableValue = value({
  x: pick('0', '1', '2', '3', 'null', '"7"'),
  y: pick('"x"', '"y"', '"z"', 'null'),
  p: pick('1.5', '2', '999999.99', 'null', '0.1'),
  due: pick('1000', '4000', '9000', '15000', 'null'),
  day: pick('0', '1', 'null'),
});

interface Event {
  readonly topic: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly time: number;
  readonly clock: number;
}

interface Topics {
  /** `weight`: how often the topic has a record, against one tick */
  readonly topics: Readonly<
    Record<string, { readonly weight: number; readonly value: fc.Arbitrary<string | null> }>
  >;
  readonly keys: readonly (string | null)[];
  /** most histories are about as long as they may be, else most are short */
  readonly long: boolean;
}

const event = ({ topics, keys }: Topics): fc.Arbitrary<Event> => {
  const of = (topic: string, value: fc.Arbitrary<string | null>): fc.Arbitrary<Event> =>
    fc.record({
      topic: fc.constant(topic),
      key: pick(...keys),
      value,
      /** how far event time moves from the record before */
      time: fc.oneof({ weight: 8, arbitrary: pick(0, 100, 500, 1000) }, pick(-3000, -8000, 4000, 9000)),
      clock: pick(0, 0, 1, 500, 3000, 43_200_000),
    });
  return fc.oneof(
    ...Object.entries(topics).map(([topic, { weight, value }]) => ({ weight, arbitrary: of(topic, value) })),
    { weight: 1, arbitrary: of(TICK_TOPIC, fc.constant(null)) },
  );
};

const utf8 = new TextEncoder();

export const historyOf = (topics: Topics): fc.Arbitrary<LogRecord[]> =>
  fc
    .array(event(topics), { minLength: 1, maxLength: 60, size: topics.long ? 'max' : 'small' })
    .map(events => {
      let time = 5000;
      let clock = 1000;
      return events.map((e, i) => {
        time = Math.max(0, time + e.time);
        clock += e.clock;
        const tick = e.topic === TICK_TOPIC;
        return {
          seq: i,
          topic: e.topic,
          partition: 0,
          offset: i,
          timestamp: time,
          appendTime: clock,
          key: tick || e.key === null ? null : utf8.encode(e.key),
          value: tick || e.value === null ? null : utf8.encode(e.value),
          headers: [],
        };
      });
    });

export const oddValue = pick(null, 'null', '{"a":', '[1]', '{"a":1,"a":2}');
const anyValue = fc.oneof(
  { weight: 10, arbitrary: streamValue },
  { weight: 6, arbitrary: tableValue },
  { weight: 1, arbitrary: oddValue },
);

export const history = historyOf({
  topics: { s: { weight: 6, value: anyValue }, tab: { weight: 4, value: anyValue } },
  keys: ['k1', 'k1', 'k2', 'k3', 'ké', null],
  long: false,
});
