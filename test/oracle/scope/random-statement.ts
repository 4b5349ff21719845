import { BIGINT, BOOLEAN, DATE, INT, TIMESTAMP, typeText } from '../../../src/core/sql-type.ts';
import type { Relation } from '../../../src/sql/catalog.ts';
import { CompleteSql, type SqlColumn } from '../generator/complete-sql.ts';
import type { Random } from '../generator/random.ts';
import { type Expr, leaf } from './expression.ts';
import { Expressions } from './random-expression.ts';
import { EMPTY, type Item, type Join, type ScopeStatement } from './statement.ts';
import { fits } from './types.ts';

type Make = (random: Random, name: string, relations: readonly Relation[]) => ScopeStatement | null;

/** A statement over the relations that are there; whether it means something, the planner says. */
export function randomStatement(
  random: Random,
  name: string,
  relations: readonly Relation[],
): ScopeStatement | null {
  return random.of(KINDS)(random, name, relations);
}

const isStream = (r: Relation) => r.changes === 'append' && r.statement !== 'view';
const isTable = (r: Relation) => r.changes === 'upsert' && r.statement !== 'view';

function someOf(
  random: Random,
  relations: readonly Relation[],
  which: (r: Relation) => boolean,
): Relation | null {
  const fitting = relations.filter(which);
  if (fitting.length === 0) return null;
  const derived = fitting.filter(r => r.statement !== 'source');
  return derived.length > 0 && random.chance(0.4) ? random.of(derived) : random.of(fitting);
}

/** Columns as a query names them; `as`: the name of the relation in it. */
function columnsOf(relation: Relation, as: string | null = null): readonly Expr[] {
  const prefix = as === null ? '' : `${as}.`;
  return [
    ...relation.schema.columns
      .filter((_, i) => !relation.hidden.includes(i))
      .map(c => leaf(`${prefix}${nameText(c.name)}`, c.type)),
    ...(relation.statement === 'view' ? [] : [leaf(`${prefix}ROWTIME`, BIGINT)]),
  ];
}

function nameText(name: string): string {
  return /^[A-Z_][A-Z0-9_]*$/i.test(name) ? name : `\`${name}\``;
}

function keyItems(relation: Relation, as: string | null = null): readonly Item[] {
  const prefix = as === null ? '' : `${as}.`;
  return relation.schema.key
    .map(i => relation.schema.columns[i])
    .filter(c => c !== undefined && !['WINDOWSTART', 'WINDOWEND'].includes(c.name))
    .map((c, i) => ({ expr: leaf(`${prefix}${nameText(c?.name ?? '')}`, c?.type ?? INT), name: `k${i}` }));
}

function someItems(random: Random, terms: Expressions, most: number, depth = 3): readonly Item[] {
  return Array.from({ length: random.int(1, most) }, (_, i) => ({ expr: terms.any(depth), name: `c${i}` }));
}

function conditions(random: Random, terms: Expressions, chance = 0.5): readonly Expr[] {
  if (!random.chance(chance)) return [];
  return Array.from({ length: random.of([1, 1, 2]) }, () => terms.predicate(2));
}

const JSON_KEY = "key_format = 'JSON'";

function settingsOf(random: Random, items: readonly Item[], from: Relation | null): readonly string[] {
  if (from !== null && from.schema.key.length === 0) return [];
  const timed = items.filter(i => i.name !== null && i.expr !== null && fits(i.expr.type, BIGINT));
  if (timed.length > 0 && random.chance(0.07)) {
    return [JSON_KEY, `timestamp = '${random.of(timed).name}'`];
  }
  return random.chance(0.05) ? [JSON_KEY, 'partitions = 3'] : [JSON_KEY];
}

const projectStream: Make = (random, name, relations) => {
  const from = someOf(random, relations, isStream);
  if (!from) return null;
  const terms = new Expressions(random, columnsOf(from));
  const all = random.chance(0.2);
  const items = all ? [{ expr: null, name: null }] : [...keyItems(from), ...someItems(random, terms, 5)];
  return {
    ...EMPTY,
    create: 'STREAM',
    name,
    settings: settingsOf(random, items, from),
    items,
    from: from.name,
    where: conditions(random, terms),
    emit: 'EMIT CHANGES',
  };
};

const explodeStream: Make = (random, name, relations) => {
  const made = projectStream(random, name, relations);
  const from = relations.find(r => r.name === made?.from);
  if (!made || !from) return null;
  const terms = new Expressions(random, columnsOf(from));
  const exploded = Array.from({ length: random.of([1, 1, 2]) }, (_, i) => ({
    expr: terms.table(),
    name: `e${i}`,
  }));
  return { ...made, items: [...made.items, ...exploded] };
};

const rekeyStream: Make = (random, name, relations) => {
  const from = someOf(random, relations, isStream);
  if (!from) return null;
  const terms = new Expressions(random, columnsOf(from));
  const partition = Array.from({ length: random.of([1, 1, 2]) }, () =>
    random.chance(0.6) ? random.of(columnsOf(from)) : terms.any(2),
  );
  const items: readonly Item[] = random.chance(0.4)
    ? [{ expr: null, name: null }]
    : [...partition.map((expr, i) => ({ expr, name: `k${i}` })), ...someItems(random, terms, 3)];
  return {
    ...EMPTY,
    create: 'STREAM',
    name,
    settings: settingsOf(random, items, null),
    items,
    from: from.name,
    where: conditions(random, terms, 0.3),
    partition,
    emit: 'EMIT CHANGES',
  };
};

/** Into a stream that a query made: columns of the same names and types. */
const insertInto: Make = (random, _, relations) => {
  const into = someOf(random, relations, r => r.statement === 'stream' && isStream(r));
  const keyOf = (r: Relation | null) => r?.schema.key.map(i => r.schema.columns[i]?.type.kind).join();
  const from = someOf(random, relations, r => isStream(r) && r !== into && keyOf(r) === keyOf(into));
  if (!into || !from) return null;
  const terms = new Expressions(random, columnsOf(from));
  const items = into.schema.columns.map(({ name, type }, i): Item => {
    const key = into.schema.key.indexOf(i);
    const own = key >= 0 ? keyItems(from)[key]?.expr : undefined;
    const made = terms.of(type, 2);
    return {
      expr: own ?? { sql: `CAST($0 AS ${typeText(type)})`, args: [made], type },
      name: nameText(name),
    };
  });
  return {
    ...EMPTY,
    create: 'INSERT INTO',
    name: into.name,
    items,
    from: from.name,
    where: conditions(random, terms),
  };
};

const projectTable: Make = (random, name, relations) => {
  const from = someOf(random, relations, isTable);
  if (!from) return null;
  const terms = new Expressions(random, columnsOf(from));
  const items = random.chance(0.3)
    ? [{ expr: null, name: null }]
    : [...keyItems(from), ...someItems(random, terms, 4)];
  return {
    ...EMPTY,
    create: 'TABLE',
    name,
    settings: settingsOf(random, items, from),
    items,
    from: from.name,
    where: conditions(random, terms, 0.7),
    emit: 'EMIT CHANGES',
  };
};

const SIZES = [1, 2, 3, 5];

function randomWindow(random: Random): string {
  const size = random.of(SIZES);
  const grace = random.of(['', ', GRACE PERIOD 0 SECONDS', `, GRACE PERIOD ${random.int(1, 4)} SECONDS`]);
  const retention =
    grace !== '' && random.chance(0.15) ? `, RETENTION ${size + random.int(4, 8)} SECONDS` : '';
  switch (random.int(0, 4)) {
    case 0:
    case 1:
      return `WINDOW TUMBLING (SIZE ${size} SECONDS${retention}${grace})`;
    case 2:
      return `WINDOW HOPPING (SIZE ${size} SECONDS, ADVANCE BY ${random.of([500, 1000, size * 500])} MILLISECONDS${retention}${grace})`;
    default:
      return `WINDOW SESSION (${random.of([500, 1000, 2000])} MILLISECONDS${retention}${grace})`;
  }
}

interface Grouping {
  readonly create: 'TABLE' | 'VIEW';
  readonly columns: readonly Expr[];
  readonly window: string;
}

function grouped(random: Random, { create, columns, window }: Grouping): Partial<ScopeStatement> {
  const terms = new Expressions(random, columns);
  const view = create === 'VIEW';
  const keys = Array.from({ length: view && window === '' ? random.int(0, 2) : random.of([1, 1, 2]) }, () =>
    random.chance(0.7) && columns.length > 0 ? random.of(columns) : terms.any(2),
  );
  const calls = Array.from({ length: random.int(1, 4) }, () => aggregate(random, terms, view));
  const over = new Expressions(random, [...calls, ...calls, ...keys]);
  const items: Item[] = [
    ...keys.map((expr, i) => ({ expr, name: `k${i}` })),
    ...calls.map((expr, i) => ({ expr, name: `c${i}` })),
    ...(random.chance(0.3) ? [{ expr: over.any(2), name: 'x' }] : []),
  ];
  const emits =
    window === '' ? ['EMIT CHANGES'] : ['EMIT CHANGES', 'EMIT FINAL', 'EMIT FINAL CLOSE AFTER 2 SECONDS'];
  return {
    items: view && random.chance(0.3) ? items.slice(random.int(0, items.length - 1)) : items,
    window,
    where: conditions(random, terms, 0.35),
    group: keys,
    having: random.chance(0.3) ? havingOf(random, over) : null,
    emit: view ? (window !== '' && random.chance(0.3) ? 'EMIT FINAL' : '') : random.of(emits),
  };
}

const COMMON = ['COUNT(*)', 'SUM($0)', 'AVG($0)', 'MIN($0)', 'MAX($0)', 'COUNT($0)'];

function aggregate(random: Random, terms: Expressions, view: boolean): Expr {
  const made = random.chance(0.5) ? commonAggregate(random, terms) : terms.aggregate(1);
  if (!view) return made;
  const distinct =
    random.chance(0.1) && made.args.length === 1 ? made.sql.replace('(', '(DISTINCT ') : made.sql;
  if (!random.chance(0.15)) return { ...made, sql: distinct };
  return {
    ...made,
    sql: `${distinct} FILTER (WHERE $${made.args.length})`,
    args: [...made.args, terms.predicate(1)],
  };
}

function commonAggregate(random: Random, terms: Expressions): Expr {
  const sql = random.of(COMMON);
  if (sql === 'COUNT(*)') return leaf(sql, BIGINT);
  const arg = terms.of(
    random.of([INT, BIGINT, { kind: 'DECIMAL', precision: 10, scale: 2 }, { kind: 'DOUBLE' }]),
    1,
  );
  return { sql, args: [arg], type: sql.startsWith('COUNT') ? BIGINT : arg.type };
}

function havingOf(random: Random, over: Expressions): Expr {
  if (random.chance(0.5)) return over.predicate(2);
  return leaf(
    random.of(['COUNT(*) > 1', 'COUNT(*) < 3', '6 / COUNT(*) > 2', 'COUNT(*) BETWEEN 2 AND 4']),
    BOOLEAN,
  );
}

const groupStream: Make = (random, name, relations) => {
  const create = random.chance(0.65) ? 'TABLE' : 'VIEW';
  const from = someOf(random, relations, isStream);
  if (!from) return null;
  const window = random.chance(0.55) && !from.schema.windowed ? randomWindow(random) : '';
  return {
    ...EMPTY,
    create,
    name,
    settings: create === 'TABLE' ? [JSON_KEY] : [],
    from: from.name,
    ...grouped(random, { create, columns: columnsOf(from), window }),
  };
};

const groupTable: Make = (random, name, relations) => {
  const create = random.chance(0.4) ? 'TABLE' : 'VIEW';
  const from = someOf(random, relations, r => (create === 'TABLE' ? isTable(r) : !isStream(r)));
  if (!from) return null;
  return {
    ...EMPTY,
    create,
    name,
    settings: create === 'TABLE' ? [JSON_KEY] : [],
    from: from.name,
    ...grouped(random, { create, columns: columnsOf(from), window: '' }),
  };
};

const view: Make = (random, name, relations) => {
  const from = someOf(random, relations, () => true);
  if (!from) return null;
  const columns = columnsOf(from);
  const terms = new Expressions(random, columns);
  const items = random.chance(0.25) ? [{ expr: null, name: null }] : someItems(random, terms, 5);
  return {
    ...EMPTY,
    create: 'VIEW',
    name,
    distinct: random.chance(0.25),
    items,
    from: from.name,
    where: [...conditions(random, terms), ...temporals(random, columns)],
  };
};

/** Rows that come and go by the clock, and nothing else. */
const byTheClock: Make = (random, name, relations) => {
  const made = view(random, name, relations);
  const from = relations.find(r => r.name === made?.from);
  const where = from === undefined ? [] : temporals(random, columnsOf(from), 1);
  return made === null || where.length === 0 ? null : { ...made, where, distinct: false };
};

const CLOCK = ['CURRENT_TIMESTAMP', 'NOW()', "NOW() - INTERVAL '1' HOUR"];

function temporals(random: Random, columns: readonly Expr[], chance = 0.5): readonly Expr[] {
  const timed = columns.filter(c => [TIMESTAMP, DATE].some(type => fits(c.type, type)));
  if (timed.length === 0 || !random.chance(chance)) return [];
  return Array.from({ length: random.of([1, 1, 2]) }, (): Expr => {
    const column = random.of(timed);
    const clock =
      column.type.kind === 'DATE' ? random.of(['CURRENT_DATE', 'CURRENT_DATE - 1']) : random.of(CLOCK);
    return { sql: `$0 ${random.of(['<', '<=', '>', '>='])} ${clock}`, args: [column], type: BOOLEAN };
  });
}

const WITHIN = [
  ' WITHIN 1 SECOND',
  ' WITHIN (0 SECONDS, 2 SECONDS)',
  ' WITHIN 1 SECOND GRACE PERIOD 0 SECONDS',
  ' WITHIN 500 MILLISECONDS GRACE PERIOD 2 SECONDS',
  ' WITHIN (2 SECONDS, 0 SECONDS) GRACE PERIOD 1 SECOND',
  ' WITHIN (1 SECOND, 3 SECONDS) GRACE PERIOD 500 MILLISECONDS',
];

const ANY_JOIN = ['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'];
const LEFT_JOIN = ['JOIN', 'LEFT JOIN'];

const strictJoin: Make = (random, name, relations) => sideBySide(random, name, relations, random.chance(0.7));
const tableJoin: Make = (random, name, relations) => sideBySide(random, name, relations, false);

/** KSQL's joins: two to three relations. */
function sideBySide(
  random: Random,
  name: string,
  relations: readonly Relation[],
  streams: boolean,
): ScopeStatement | null {
  const left = someOf(random, relations, streams ? isStream : isTable);
  if (!left) return null;
  const joins: Join[] = [];
  let columns = columnsOf(left, 'j0');
  const count = random.of([1, 1, 1, 2]);
  for (let i = 1; i <= count; i++) {
    const there = [left.name, ...joins.map(j => j.text.split(' ').at(-2))];
    const right = someOf(
      random,
      relations.filter(r => !there.includes(r.name)),
      r => isTable(r) || (streams && isStream(r)),
    );
    if (!right) return null;
    const near = streams && isStream(right);
    const own = columnsOf(right, `j${i}`);
    const lefts = !near && isTable(left) && random.chance(0.6) ? keysOf(left, columns) : columns;
    const on = equality(random, lefts, near && random.chance(0.5) ? own : keysOf(right, own));
    if (!on) return null;
    const type = random.of(near || (!streams && random.chance(0.5)) ? ANY_JOIN : LEFT_JOIN);
    joins.push({ text: `${type} ${right.name} j${i}`, within: near ? random.of(WITHIN) : '', on: [on] });
    columns = [...columns, ...own];
  }
  const terms = new Expressions(random, columns);
  return {
    ...EMPTY,
    create: streams ? 'STREAM' : 'TABLE',
    name,
    settings: [JSON_KEY],
    items: [{ expr: null, name: null }],
    from: `${left.name} j0`,
    joins,
    where: conditions(random, terms, 0.3),
    emit: 'EMIT CHANGES',
  };
}

function keysOf(relation: Relation, columns: readonly Expr[]): readonly Expr[] {
  const keys = relation.schema.key.filter(
    i => !['WINDOWSTART', 'WINDOWEND'].includes(relation.schema.columns[i]?.name ?? ''),
  );
  return keys.flatMap(i => columns[i] ?? []);
}

/** Mostly of columns, else of an expression on the left. */
function equality(random: Random, lefts: readonly Expr[], rights: readonly Expr[]): Expr | null {
  const right = rights.length === 0 ? null : random.of(rights);
  if (right === null) return null;
  const terms = new Expressions(random, lefts);
  const left = random.chance(0.8) ? terms.leaf(right.type) : terms.of(right.type, 1);
  return { sql: '($0 = $1)', args: [left, right], type: BOOLEAN };
}

const viewJoin: Make = (random, name, relations) => {
  const left = someOf(random, relations, () => true);
  if (!left) return null;
  const joins: Join[] = [];
  let columns = columnsOf(left, 'j0');
  for (let i = 1; i <= random.of([1, 1, 2]); i++) {
    const right = someOf(random, relations, () => true);
    if (!right) return null;
    const own = columnsOf(right, `j${i}`);
    const all = [...columns, ...own];
    const equal = Array.from({ length: random.of([1, 1, 2]) }, () => equality(random, columns, own));
    const rest = random.chance(0.25) ? [new Expressions(random, all).predicate(2)] : [];
    joins.push({
      text: `${random.of(ANY_JOIN)} ${right.name} j${i}`,
      within: '',
      on: [...equal.filter(e => e !== null), ...rest],
    });
    columns = all;
  }
  const base = { ...EMPTY, create: 'VIEW' as const, name, from: `${left.name} j0`, joins };
  if (random.chance(0.3)) return { ...base, ...grouped(random, { create: 'VIEW', columns, window: '' }) };
  const terms = new Expressions(random, columns);
  return {
    ...base,
    distinct: random.chance(0.1),
    items: random.chance(0.3) ? [{ expr: null, name: null }] : someItems(random, terms, 5, 2),
    where: conditions(random, terms, 0.3),
  };
};

/** A view over what another statement of the script made: filters and groups of rows that change. */
const viewOverView: Make = (random, name, relations) => {
  const derived = relations.filter(r => r.statement !== 'source');
  return derived.length === 0 ? null : random.of([view, view, groupTable])(random, name, derived);
};

/** Common tables, subqueries, set operations. */
const nestedView: Make = (random, name, relations) => {
  const sources = relations.flatMap(r => {
    const columns = r.schema.columns
      .filter((c, i) => ['INT', 'BIGINT', 'STRING'].includes(c.type.kind) && !r.hidden.includes(i))
      .map(c => ({ name: nameText(c.name), type: c.type.kind as SqlColumn['type'] }));
    return columns.length === 0 ? [] : [{ name: r.name, columns }];
  });
  const chosen = random.shuffled(sources).slice(0, 3);
  const { sql } = new CompleteSql(random, chosen).view();
  const read = chosen.filter(s => sql.includes(`@${s.name}@`)).map(s => s.name);
  return { ...EMPTY, create: 'VIEW', name, from: read.join(' '), query: sql.replaceAll(/@(\w+)@/g, '$1') };
};

const explodedKeys: Make = (random, name, relations) => {
  const from = someOf(random, relations, isStream);
  if (!from) return null;
  const terms = new Expressions(random, columnsOf(from));
  return {
    ...EMPTY,
    create: 'VIEW',
    name,
    items: [...someItems(random, terms, 2, 1), { expr: terms.table(), name: 'e' }],
    from: from.name,
    where: conditions(random, terms, 0.3),
  };
};

const KINDS: readonly Make[] = [
  projectStream,
  projectStream,
  explodeStream,
  rekeyStream,
  insertInto,
  insertInto,
  insertInto,
  projectTable,
  groupStream,
  groupStream,
  groupStream,
  groupStream,
  groupTable,
  groupTable,
  view,
  view,
  byTheClock,
  byTheClock,
  strictJoin,
  strictJoin,
  strictJoin,
  tableJoin,
  viewJoin,
  viewOverView,
  viewOverView,
  explodedKeys,
  nestedView,
];
