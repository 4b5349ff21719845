/** Texts that grow with a number in one way each: nested, in chains, in lists. */
export interface Growing {
  readonly name: string;
  /** parts of the text that repeat */
  readonly text: (n: number) => string;
  /** the work grows with the square: types, or scopes, as large as the text belong to every part */
  readonly square?: true;
}

const SOURCE =
  "CREATE STREAM s (k STRING KEY, a INT, t STRING, l ARRAY<INT>) WITH (kafka_topic = 's', value_format = 'JSON');\n";
const select = (expression: string) => `${SOURCE}CREATE VIEW v AS SELECT ${expression} AS x FROM s;`;
const where = (condition: string) => `${SOURCE}CREATE VIEW v AS SELECT a FROM s WHERE ${condition};`;
const times = (text: string, n: number) => text.repeat(n);
const list = (n: number, item: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => item(i)).join(', ');

export const GROWING: readonly Growing[] = [
  { name: 'parentheses', text: n => select(`${times('(', n)}a${times(')', n)}`) },
  { name: 'open parentheses', text: n => select(times('(', n)) },
  { name: 'signs', text: n => select(`${times('- ', n)}a`) },
  { name: 'NOT', text: n => where(`${times('NOT ', n)}a = 1`) },
  { name: 'CASE', text: n => select(`${times('CASE WHEN a = 1 THEN ', n)}1${times(' ELSE 2 END', n)}`) },
  { name: 'calls', text: n => select(`${times('ABS(', n)}a${times(')', n)}`) },
  { name: 'casts', text: n => select(`${times('CAST(', n)}a${times(' AS STRING)', n)}`) },
  { square: true, name: 'lambdas', text: n => select(`${times('TRANSFORM(l, x => ', n)}1${times(')', n)}`) },
  { square: true, name: 'arrays', text: n => select(`${times('ARRAY[', n)}a${times(']', n)}`) },
  { name: 'subscripts', text: n => select(`l${times('[1]', n)}`) },
  { name: 'arrows', text: n => select(`a${times('->b', n)}`) },
  {
    name: 'types',
    text: n => `CREATE STREAM s (a ${times('ARRAY<', n)}INT${times('>', n)}) WITH (kafka_topic='s');`,
  },
  {
    name: 'structs',
    text: n => `CREATE STREAM s (a ${times('STRUCT<b ', n)}INT${times('>', n)}) WITH (kafka_topic='s');`,
  },
  { name: 'subqueries', text: n => `SELECT * FROM ${times('(SELECT * FROM ', n)}s${times(')', n)};` },
  { name: 'WITH', text: n => `${times('WITH c AS (', n)}SELECT 1${times(') SELECT 1', n)};` },
  { name: 'sum', text: n => select(`a${times(' + a', n)}`) },
  { name: 'concatenation', text: n => select(`t${times(' || t', n)}`) },
  { name: 'AND', text: n => where(`a = 1${times(' AND a = 1', n)}`) },
  { name: 'OR and AND', text: n => where(`a = 1${times(' OR a = 2 AND a = 3', n)}`) },
  { name: 'comparisons', text: n => where(`a${times(' = a', n)}`) },
  { name: 'IN', text: n => where(`a IN (${list(n, String)})`) },
  {
    name: 'items',
    text: n => `${SOURCE}CREATE VIEW v AS SELECT ${list(n, i => `a + ${i} AS c${i}`)} FROM s;`,
  },
  { name: 'WHENs', text: n => select(`CASE ${times('WHEN a = 1 THEN 1 ', n)}END`) },
  {
    name: 'columns',
    text: n => `CREATE STREAM s (${list(n, i => `c${i} INT`)}) WITH (kafka_topic='s', value_format='JSON');`,
  },
  {
    name: 'keys',
    text: n => `${SOURCE}CREATE VIEW v AS SELECT COUNT(*) AS n FROM s GROUP BY ${list(n, i => `a + ${i}`)};`,
  },
  {
    square: true,
    name: 'joins',
    text: n =>
      `${SOURCE}CREATE VIEW v AS SELECT s.a AS a FROM s${Array.from({ length: n }, (_, i) => ` JOIN s j${i} ON s.a = j${i}.a`).join('')};`,
  },
  {
    name: 'statements',
    text: n =>
      SOURCE + Array.from({ length: n }, (_, i) => `CREATE VIEW v${i} AS SELECT a FROM s;`).join('\n'),
  },
  {
    name: 'unknown columns',
    text: n => `${SOURCE}CREATE VIEW v AS SELECT ${list(n, i => `wrong${i}`)} FROM s;`,
  },
  { name: 'broken statements', text: n => times('CREATE VIEW AS;\n', n) },
  { name: 'a long name', text: n => select(`"${times('x', n)}"`) },
  { name: 'a long text', text: n => select(`'${times("it''s ", n)}'`) },
  { name: 'a long number', text: n => select(`1${times('0', n)}.5`) },
  { name: 'a long comment', text: n => `-- ${times('x', n)}\n/* ${times('/* ', n)}\n${select('a')}` },
  { name: 'quotes', text: n => select(times("'", n)) },
  { name: 'semicolons', text: n => times(';', n) },
  { name: 'variables', text: n => select(times(`\${x}`, n)) },
];
