import fc from 'fast-check';
import { historyOf, type Make, oddValue, pick, SOURCES, script, value } from './random-scripts.ts';

/** Random scripts of joins over two streams and two tables, and histories in which many rows meet. */

export const JOIN_SOURCES = `${SOURCES}
CREATE STREAM r (id STRING KEY, a INT, b BIGINT, t STRING, l ARRAY<INT>)
  WITH (kafka_topic = 'r', value_format = 'JSON');
CREATE TABLE dim (id STRING PRIMARY KEY, x INT, y STRING)
  WITH (kafka_topic = 'dim', value_format = 'JSON');
`;

const streamRow = value({
  a: pick('0', '1', '1', '2', 'null'),
  b: pick('0', '2', '9223372036854775807'),
  m: pick('1.5', '2'),
  d: pick('0.5', '-0'),
  t: pick('"k1"', '"x"', '"X"', '"y"', 'null'),
  f: pick('true', 'false'),
  l: pick('[]', '[1]', '[1,2,2]', '[0,null,1]'),
});

const tableRow = value({
  x: pick('0', '1', '2', 'null', '"7"'),
  y: pick('"x"', '"x"', '"X"', '"y"', '"k1"', 'null'),
  p: pick('1.5', '2'),
});

const mostly = (row: fc.Arbitrary<string>, gone: number) =>
  fc.oneof(
    { weight: 20, arbitrary: row },
    { weight: gone, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: oddValue },
  );

export const joinHistory = historyOf({
  topics: {
    s: { weight: 5, value: mostly(streamRow, 1) },
    r: { weight: 4, value: mostly(streamRow, 1) },
    tab: { weight: 4, value: mostly(tableRow, 5) },
    dim: { weight: 3, value: mostly(tableRow, 5) },
  },
  keys: ['k1', 'k1', 'k1', 'k2', 'x', 'x', 'y', 'X', null],
  long: true,
});

const anyType = pick('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL OUTER JOIN');
const leftType = pick('JOIN', 'LEFT JOIN');

const within = pick(
  'WITHIN 1 SECOND',
  'WITHIN (0 SECONDS, 2 SECONDS)',
  'WITHIN 1 SECOND GRACE PERIOD 0 SECONDS',
  'WITHIN 500 MILLISECONDS GRACE PERIOD 2 SECONDS',
  'WITHIN (2 SECONDS, 0 SECONDS) GRACE PERIOD 1 SECOND',
  'WITHIN (1 SECOND, 3 SECONDS) GRACE PERIOD 500 MILLISECONDS',
);

const stream = (name: string, columns: string) =>
  `CREATE STREAM ${name} WITH (key_format = 'JSON') AS ${columns} EMIT CHANGES;`;
const table = (name: string, columns: string) =>
  `CREATE TABLE ${name} WITH (key_format = 'JSON') AS ${columns} EMIT CHANGES;`;

const twoStreams: fc.Arbitrary<Make> = fc
  .tuple(
    anyType,
    within,
    pick('s.id = r.id', 's.a = r.a', 's.t = r.t', 'UCASE(s.t) = r.t', '10 / s.a = r.a', 's.b = r.b + 2'),
    pick('', '', 'WHERE s.a > 0', 'WHERE r.t IS NULL'),
  )
  .map(
    ([type, near, on, where]) =>
      name =>
        stream(name, `SELECT * FROM s ${type} r ${near} ON ${on} ${where}`),
  );

/** Several rows of one side in one sequence, and both sides from one record. */
const explodedStreams: fc.Arbitrary<Make> = fc
  .tuple(anyType, within, pick('s', 'r'), pick('a', '10 / a', 'a - 1'))
  .map(
    ([type, near, other, on]) =>
      name =>
        `${stream(`${name}_e`, 'SELECT id, a, EXPLODE(l) AS e FROM s')}
     ${stream(name, `SELECT * FROM ${name}_e ${type} ${other} ${near} ON ${name}_e.e = ${on.replace('a', `${other}.a`)}`)}`,
  );

const groupedStreams: fc.Arbitrary<Make> = fc
  .tuple(leftType, within, pick('WINDOW TUMBLING (SIZE 3 SECONDS, GRACE PERIOD 1 SECOND)', ''))
  .map(
    ([type, near, window]) =>
      name =>
        `${stream(`${name}_j`, `SELECT s.id AS id, s.a AS a, r.b AS b FROM s ${type} r ${near} ON s.id = r.id`)}
     ${table(name, `SELECT id, COUNT(*) AS n, SUM(a) AS sa, COLLECT_LIST(b) AS bs FROM ${name}_j ${window} GROUP BY id`)}`,
  );

const streamAndTable: fc.Arbitrary<Make> = fc
  .tuple(leftType, pick('s.id', 's.t', 'UCASE(s.t)', 'CAST(10 / s.a AS STRING)'), pick('', 'WHERE tab.x > 1'))
  .map(
    ([type, key, where]) =>
      name =>
        stream(name, `SELECT * FROM s ${type} tab ON ${key} = tab.id ${where}`),
  );

/** The table's change comes first within a sequence. */
const streamAndOwnCount: fc.Arbitrary<Make> = fc.tuple(leftType, pick('', 'HAVING COUNT(*) < 3')).map(
  ([type, having]) =>
    name =>
      `${table(`${name}_c`, `SELECT id, COUNT(*) AS n FROM s GROUP BY id ${having}`)}
     ${stream(name, `SELECT * FROM s ${type} ${name}_c ON s.id = ${name}_c.id`)}`,
);

const streamAndFiltered: fc.Arbitrary<Make> = leftType.map(
  type => name =>
    `${table(`${name}_f`, 'SELECT id, x + 1 AS x1 FROM tab WHERE x > 1')}
     ${stream(name, `SELECT s.id AS id, a, x1 FROM s ${type} ${name}_f ON s.id = ${name}_f.id`)}`,
);

const twoTables: fc.Arbitrary<Make> = fc
  .tuple(anyType, pick('', '', 'WHERE tab.x > 1', 'WHERE dim.y IS NULL'))
  .map(
    ([type, where]) =>
      name =>
        table(name, `SELECT * FROM tab ${type} dim ON tab.id = dim.id ${where}`),
  );

const tableAndCount: fc.Arbitrary<Make> = anyType.map(
  type => name =>
    `${table(`${name}_c`, 'SELECT id, COUNT(*) AS n, MAX(a) AS a FROM s GROUP BY id')}
     ${table(name, `SELECT * FROM ${name}_c ${type} tab ON ${name}_c.id = tab.id`)}`,
);

/** Both sides change in one sequence. */
const twoCounts: fc.Arbitrary<Make> = anyType.map(
  type => name =>
    `${table(`${name}_c`, 'SELECT id, COUNT(*) AS n FROM s GROUP BY id HAVING COUNT(*) < 3')}
     ${table(`${name}_d`, 'SELECT id, SUM(a) AS n FROM s GROUP BY id')}
     ${table(name, `SELECT * FROM ${name}_c ${type} ${name}_d ON ${name}_c.id = ${name}_d.id`)}`,
);

const foreignKey: fc.Arbitrary<Make> = fc
  .tuple(
    leftType,
    pick('tab.y', 'tab.y', 'UCASE(tab.y)', 'CAST(10 / tab.x AS STRING)', 'tab.id'),
    pick('', '', 'WHERE dim.x > 1'),
  )
  .map(
    ([type, key, where]) =>
      name =>
        table(name, `SELECT * FROM tab ${type} dim ON ${key} = dim.id ${where}`),
  );

const groupedForeignKey: fc.Arbitrary<Make> = leftType.map(
  type => name =>
    `${table(`${name}_j`, `SELECT tab.id AS id, dim.y AS y, tab.x AS x FROM tab ${type} dim ON tab.y = dim.id`)}
     CREATE VIEW ${name} AS SELECT y, COUNT(*) AS n, SUM(x) AS sx FROM ${name}_j GROUP BY y;`,
);

const foreignKeyToCount: fc.Arbitrary<Make> = leftType.map(
  type => name =>
    `${table(`${name}_c`, 'SELECT t, COUNT(*) AS n FROM s GROUP BY t')}
     ${table(name, `SELECT * FROM tab ${type} ${name}_c ON tab.y = ${name}_c.t`)}`,
);

const chains: fc.Arbitrary<Make> = fc
  .tuple(anyType, leftType, leftType, within)
  .chain(([any, left, other, near]) =>
    pick<Make>(
      name => stream(name, `SELECT * FROM s ${left} tab ON s.id = tab.id ${other} dim ON s.t = dim.id`),
      name => stream(name, `SELECT * FROM s ${any} r ${near} ON s.id = r.id ${other} tab ON s.id = tab.id`),
      name => stream(name, `SELECT * FROM s ${left} tab ON s.id = tab.id ${any} r ${near} ON s.id = r.id`),
      name =>
        `${table(`${name}_c`, 'SELECT id, COUNT(*) AS n FROM s GROUP BY id')}
         ${table(name, `SELECT * FROM tab ${left} dim ON tab.id = dim.id ${any} ${name}_c ON tab.id = ${name}_c.id`)}`,
      name =>
        `${table(`${name}_f`, `SELECT * FROM tab ${left} dim ON tab.y = dim.id`)}
         ${stream(name, `SELECT s.id AS id, s.a AS a, f.* FROM s ${other} ${name}_f f ON s.id = f.tab_id`)}`,
    ),
  );

export const strictJoin = script(
  fc.oneof(
    { weight: 4, arbitrary: twoStreams },
    { weight: 2, arbitrary: explodedStreams },
    groupedStreams,
    { weight: 2, arbitrary: streamAndTable },
    streamAndOwnCount,
    streamAndFiltered,
    { weight: 2, arbitrary: twoTables },
    tableAndCount,
    twoCounts,
    { weight: 3, arbitrary: foreignKey },
    groupedForeignKey,
    foreignKeyToCount,
    { weight: 3, arbitrary: chains },
  ),
);

const keyPair = pick(
  ['tab', 'dim', 'tab.y = dim.id'],
  ['tab', 'dim', 'tab.x = dim.x'],
  ['tab', 'dim', 'tab.y = dim.y AND tab.x = dim.x'],
  ['tab', 'dim', 'tab.id = dim.id AND tab.x > dim.x'],
  ['tab', 'dim', 'tab.y = dim.y AND 10 / tab.x > dim.x'],
  ['tab', 'tab u', 'tab.y = u.id'],
  ['tab', 'tab u', 'tab.y = u.y AND tab.id < u.id'],
  ['s', 'tab', 's.id = tab.id'],
  ['s', 'tab', 's.t = tab.y AND s.a > 0'],
  ['s', 'r', 's.a = r.a'],
  ['s', 's u', 's.t = u.id AND s.a = u.a'],
) as fc.Arbitrary<readonly [string, string, string]>;

const nameOf = (source: string) => source.split(' ').at(-1) as string;

const plainView: fc.Arbitrary<Make> = fc
  .tuple(keyPair, anyType, fc.boolean())
  .map(([[left, right, on], type, all]) => name => {
    const [l, r] = [nameOf(left), nameOf(right)];
    const columns = all ? '*' : `${l}.id AS one, ${r}.id AS two`;
    return `CREATE VIEW ${name} AS SELECT ${columns} FROM ${left} ${type} ${right} ON ${on};`;
  });

const groupedView: fc.Arbitrary<Make> = fc
  .tuple(keyPair, anyType, pick('', 'HAVING COUNT(*) > 1'))
  .map(([[left, right, on], type, having]) => name => {
    const [l, r] = [nameOf(left), nameOf(right)];
    return `CREATE VIEW ${name} AS SELECT ${r}.id AS k, COUNT(*) AS n, COUNT(${l}.id) AS m
      FROM ${left} ${type} ${right} ON ${on} GROUP BY ${r}.id ${having};`;
  });

const chainedView: fc.Arbitrary<Make> = fc.tuple(anyType, anyType).map(
  ([one, two]) =>
    name =>
      `CREATE VIEW ${name}_c AS SELECT t, COUNT(*) AS n FROM s GROUP BY t;
     CREATE VIEW ${name} AS SELECT tab.id, dim.y, c.n FROM tab ${one} dim ON tab.y = dim.id ${two} ${name}_c c ON tab.y = c.t;`,
);

export const viewJoin = script(
  fc.oneof(
    { weight: 3, arbitrary: plainView },
    { weight: 2, arbitrary: groupedView },
    { weight: 1, arbitrary: chainedView },
  ),
);
