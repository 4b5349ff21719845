import { either, randomAggregate } from './complete-aggregates.ts';
import { randomWindows } from './complete-windows.ts';
import type { Random } from './random.ts';

/**
 * Random complete SQL as text that Millrace and DuckDB read alike: common tables, subqueries, set operations, joins.
 * Types are few and no expression can fail, so that the shape of the query is what is tested.
 */
export interface SqlSource {
  readonly name: string;
  readonly columns: readonly SqlColumn[];
}

export interface SqlColumn {
  readonly name: string;
  readonly type: 'INT' | 'BIGINT' | 'STRING';
}

/** A query: sources stand in it as `@name@`. */
export interface SqlText {
  readonly sql: string;
  readonly columns: readonly SqlColumn[];
}

interface Part extends SqlText {
  /** how it is called in FROM */
  readonly alias: string;
}

export class CompleteSql {
  readonly #random: Random;
  readonly #sources: readonly SqlSource[];
  #names = 0;
  /** common tables in view, outermost first */
  #common: SqlSource[] = [];

  constructor(random: Random, sources: readonly SqlSource[]) {
    this.#random = random;
    this.#sources = sources;
  }

  /** A query with everything that it may have. */
  view(): SqlText {
    return this.#random.chance(0.4) ? this.#withCommon(2) : this.#query(2);
  }

  #name(prefix: string): string {
    return `${prefix}${++this.#names}`;
  }

  #withCommon(depth: number): SqlText {
    const before = this.#common;
    const tables: string[] = [];
    for (let i = this.#random.int(1, 2); i > 0; i--) {
      const name = this.#name('w');
      const { sql, columns } = this.#query(depth - 1);
      const named = this.#random.chance(0.4);
      const names = named ? columns.map(c => ({ ...c, name: this.#name('n') })) : columns;
      tables.push(`${name}${named ? ` (${names.map(c => c.name).join(', ')})` : ''} AS (${sql})`);
      this.#common = [...this.#common, { name, columns: names }];
    }
    const { sql, columns } = this.#query(depth);
    this.#common = before;
    return { sql: `WITH ${tables.join(', ')} ${sql}`, columns };
  }

  #query(depth: number): SqlText {
    if (depth > 0 && this.#random.chance(0.35)) return this.#setOperation(depth);
    if (this.#random.chance(0.08)) return this.#sets(depth);
    if (this.#random.chance(0.15)) return this.#windowed(depth);
    return this.#random.chance(0.15) ? this.#ordered(depth) : this.#select(depth);
  }

  /** Window functions over rows, or over groups. */
  #windowed(depth: number): SqlText {
    const random = this.#random;
    const part = this.#relation(depth);
    const grouped = random.chance(0.25);
    const shown = grouped
      ? [
          this.#column(part),
          ...[0, 1].map(() => this.#aggregate(part, '')).map(a => ({ text: a.sql, type: a.column.type })),
        ]
      : part.columns.map(c => ({ text: `${part.alias}.${c.name}`, type: c.type }));
    const results = randomWindows(random, { columns: shown }, random.int(1, 3));
    const all = [...shown, ...results.map(r => ({ text: r.sql, type: r.type }))];
    const columns = all.map(({ type }) => ({ name: this.#name('c'), type }));
    const list = all.map(({ text }, i) => `${text} AS ${columns[i]?.name}`).join(', ');
    const groupBy = grouped ? ` GROUP BY ${shown[0]?.text}` : '';
    return { sql: `SELECT ${list} FROM ${part.sql}${this.#where(part, depth)}${groupBy}`, columns };
  }

  /** Several groupings at once. */
  #sets(depth: number): SqlText {
    const random = this.#random;
    const part = this.#relation(depth);
    const keys = [this.#column(part), this.#column(part)];
    const [a, b] = keys.map(key => key.text);
    const names = [this.#name('c'), this.#name('c'), this.#name('c')];
    const count = this.#aggregate(part, names[2] ?? '');
    const sets = random.of([
      `ROLLUP (${a}, ${b})`,
      `CUBE (${a}, ${b})`,
      `GROUPING SETS ((${a}), (${b}), ())`,
      `${a}, ROLLUP (${b})`,
    ]);
    const having = random.chance(0.2) ? ' HAVING COUNT(*) > 1' : '';
    return {
      sql: `SELECT ${a} AS ${names[0]}, ${b} AS ${names[1]}, ${count.sql} AS ${names[2]} FROM ${part.sql}${this.#where(part, depth)} GROUP BY ${sets}${having}`,
      columns: [...keys.map((key, i) => ({ name: names[i] ?? '', type: key.type })), count.column],
    };
  }

  /** Rows in an order that tells all different ones apart: limited, or numbered in partitions. */
  #ordered(depth: number): SqlText {
    const random = this.#random;
    const part = this.#relation(depth);
    const columns = part.columns.map(c => ({ ...c, name: this.#name('c') }));
    const text = (i: number) => `${part.alias}.${part.columns[i]?.name}`;
    const list = columns.map((c, i) => `${text(i)} AS ${c.name}`).join(', ');
    const order = random
      .shuffled([...columns.keys()])
      .map(
        i => `${text(i)}${random.of(['', ' ASC', ' DESC NULLS FIRST', ' DESC NULLS LAST', ' NULLS FIRST'])}`,
      )
      .join(', ');
    const from = `FROM ${part.sql}${this.#where(part, depth)}`;
    const alias = this.#name('q');
    if (random.chance(0.5)) {
      const offset = random.chance(0.3) ? ` OFFSET ${random.int(0, 2)}` : '';
      const sql = `SELECT ${list} ${from} ORDER BY ${order} LIMIT ${random.int(1, 4)}${offset}`;
      return { sql: `SELECT * FROM (${sql}) AS ${alias}`, columns };
    }
    const partition = random.chance(0.7) ? `PARTITION BY ${text(random.int(0, columns.length - 1))} ` : '';
    const number: SqlColumn = { name: this.#name('c'), type: 'BIGINT' };
    const sql = `SELECT ${list}, ROW_NUMBER() OVER (${partition}ORDER BY ${order}) AS ${number.name} ${from}`;
    const limit = random.chance(0.7)
      ? ` WHERE ${alias}.${number.name} ${random.of(['<= 2', '< 3', '= 1', '= 2', '> 1'])}`
      : '';
    const shown = random.chance(0.5) ? [...columns, number] : columns;
    return {
      sql: `SELECT ${shown.map(c => c.name).join(', ')} FROM (${sql}) AS ${alias}${limit}`,
      columns: shown,
    };
  }

  /** Both sides get the same columns of the left one's types. */
  #setOperation(depth: number): SqlText {
    const random = this.#random;
    const left = this.#query(depth - 1);
    const right = this.#shaped(this.#relation(depth - 1), left.columns);
    const op = random.of([
      'UNION ALL',
      'UNION ALL',
      'UNION',
      'INTERSECT',
      'INTERSECT ALL',
      'EXCEPT',
      'EXCEPT ALL',
    ]);
    return { sql: `(${left.sql}) ${op} (${right})`, columns: left.columns };
  }

  #shaped(part: Part, columns: readonly SqlColumn[]): string {
    const items = columns.map(({ type }, i) => `${this.#value(part, type)} AS x${i}`);
    return `SELECT ${items.join(', ')} FROM ${part.sql}${this.#where(part)}`;
  }

  #relation(depth: number): Part {
    const random = this.#random;
    if (depth > 0 && random.chance(0.35)) {
      const { sql, columns } = random.chance(0.15) ? this.#withCommon(depth - 1) : this.#query(depth - 1);
      const alias = this.#name('q');
      if (random.chance(0.25)) {
        const names = columns.map(c => ({ ...c, name: this.#name('n') }));
        return { alias, columns: names, sql: `(${sql}) AS ${alias}(${names.map(c => c.name).join(', ')})` };
      }
      return { alias, columns, sql: `(${sql}) AS ${alias}` };
    }
    const common = random.chance(0.5) ? this.#common : [];
    const source = random.of(common.length > 0 ? common : this.#sources);
    const alias = this.#name('r');
    const name = this.#common.includes(source) ? source.name : `@${source.name}@`;
    return { alias, columns: source.columns, sql: `${name} ${alias}` };
  }

  #select(depth: number): SqlText {
    const random = this.#random;
    const joined = random.chance(0.3) ? this.#join(depth) : this.#relation(depth);
    // columns of USING have no relation before them, where a table function looks
    const named = joined.alias !== '' || joined.columns.every(c => c.name.includes('.'));
    const from = named && random.chance(0.1) ? this.#expanded(joined) : joined;
    const where = this.#where(from, depth);
    const name = () => this.#name('c');
    const items: { sql: string; column: SqlColumn }[] = [];
    const group = random.chance(0.35);
    const keys = group ? Array.from({ length: random.int(0, 2) }, () => this.#column(from)) : [];
    // what a group may be asked beside its aggregates
    const keyed: Part = { ...from, columns: keys.map(key => ({ name: key.name, type: key.type })) };
    const looked = new Set<number>();
    for (const key of keys) items.push({ sql: key.text, column: { name: name(), type: key.type } });
    for (let i = random.int(1, 2); i > 0; i--) {
      const type = random.of(['INT', 'STRING', 'BIGINT'] as const);
      if (random.chance(0.15)) {
        looked.add(items.length);
        items.push(this.#lookedUp(group ? keyed : from, name(), depth));
      } else if (group) items.push(this.#aggregate(from, name()));
      else items.push({ sql: this.#value(from, type), column: { name: name(), type } });
    }
    const counted = random.chance(0.6) ? `COUNT(*) > ${random.int(0, 2)}` : this.#subquery(keyed, depth);
    const having = group && random.chance(0.3) ? ` HAVING ${counted}` : '';
    // DuckDB cannot resolve a subquery of HAVING beside ALL
    const plain = !having.includes('SELECT');
    const all = plain && keys.length > 0 && looked.size === 0 && random.chance(0.15);
    const groupBy = keys.length > 0 ? ` GROUP BY ${all ? 'ALL' : keys.map(k => k.text).join(', ')}` : '';
    const distinct = random.chance(0.2) ? 'DISTINCT ' : '';
    const list = items.map(i => `${i.sql} AS ${i.column.name}`).join(', ');
    return {
      sql: `SELECT ${distinct}${list} FROM ${from.sql}${where}${groupBy}${having}`,
      columns: items.map(i => i.column),
    };
  }

  #join(depth: number): Part {
    const random = this.#random;
    const left = this.#relation(depth);
    const right = this.#relation(depth);
    const prefixed = (part: Part) => part.columns.map(c => ({ ...c, name: `${part.alias}.${c.name}` }));
    const columns = [...prefixed(left), ...prefixed(right)];
    const both: Part = { alias: '', columns, sql: '' };
    const shared = left.columns.filter(c => right.columns.some(o => o.name === c.name && o.type === c.type));
    if (shared.length > 0 && random.chance(0.3)) return this.#using(left, right, shared);
    if (random.chance(0.1)) return { ...both, sql: `${left.sql} CROSS JOIN ${right.sql}` };
    const [l, r] = [this.#column(left), this.#column(right)];
    const type = random.of(['JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN']);
    const cast = (c: { text: string; type: string }) =>
      c.type === 'STRING' ? c.text : `CAST(${c.text} AS STRING)`;
    const on = l.type === r.type ? `${l.text} = ${r.text}` : `${cast(l)} = ${cast(r)}`;
    const more = random.chance(0.3) ? ` AND ${this.#condition(random.of([left, right]))}` : '';
    const without = random.chance(0.1) && l.type === r.type ? `${l.text} < ${r.text}` : on;
    return { ...both, sql: `${left.sql} ${type} ${right.sql} ON ${without}${more}` };
  }

  /** With a table function beside it: each row several times, or not at all. */
  #expanded(part: Part): Part {
    const random = this.#random;
    const [alias, name] = [this.#name('u'), this.#name('v')];
    const { text, type } = this.#column(part);
    const other = this.#column({ ...part, columns: part.columns.filter(c => c.type === type) }).text;
    const prefixed = part.columns.map(c => ({
      ...c,
      name: part.alias === '' ? c.name : `${part.alias}.${c.name}`,
    }));
    const series = random.chance(0.4);
    const count = `CASE WHEN ${text} IS NULL THEN 0 ELSE ${random.int(1, 2)} END`;
    const made = series ? `generate_series(1, ${count})` : `UNNEST(ARRAY[${text}, ${other}])`;
    const comma = random.of([', ', ' CROSS JOIN ']);
    const duckdb = series ? `LATERAL (SELECT unnest(${made})::INTEGER)` : made;
    const columns = [...prefixed, { name: `${alias}.${name}`, type: series ? ('INT' as const) : type }];
    return { alias: '', columns, sql: `${part.sql}${comma}${either(made, duckdb)} AS ${alias}(${name})` };
  }

  /** Columns of both sides that become one are named without their relation. */
  #using(left: Part, right: Part, shared: readonly SqlColumn[]): Part {
    const random = this.#random;
    const used = random.shuffled(shared).slice(0, random.int(1, shared.length));
    const isUsed = (column: SqlColumn) => used.some(c => c.name === column.name);
    const others = [left, right].flatMap(({ alias, columns }) =>
      columns.filter(c => !isUsed(c)).map(c => ({ ...c, name: `${alias}.${c.name}` })),
    );
    const type = random.of(['JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN']);
    const names = used.map(c => c.name).join(', ');
    return {
      alias: '',
      columns: [...used, ...others],
      sql: `${left.sql} ${type} ${right.sql} USING (${names})`,
    };
  }

  #where(part: Part, depth = 0): string {
    if (this.#random.chance(0.5)) return '';
    const conditions = Array.from({ length: this.#random.int(1, 2) }, () =>
      this.#random.chance(0.3) ? this.#subquery(part, depth) : this.#condition(part),
    );
    return ` WHERE ${conditions.join(this.#random.of([' AND ', ' OR ']))}`;
  }

  #column({ alias, columns }: Part): { name: string; text: string; type: SqlColumn['type'] } {
    const { name, type } = this.#random.of(columns);
    return { name, text: alias === '' ? name : `${alias}.${name}`, type };
  }

  #value(part: Part, type: SqlColumn['type']): string {
    const random = this.#random;
    const fitting = part.columns.filter(c => c.type === type);
    if (fitting.length > 0 && random.chance(0.85)) return this.#column({ ...part, columns: fitting }).text;
    const { text } = this.#column(part);
    switch (type) {
      case 'STRING':
        return random.of([`CASE WHEN ${text} IS NULL THEN 'n' ELSE 'v' END`, "'a'"]);
      case 'INT':
        return random.of([`CASE WHEN ${text} IS NULL THEN 1 ELSE 0 END`, '1', 'CAST(NULL AS INT)']);
      default:
        return `CAST(CASE WHEN ${text} IS NULL THEN 1 ELSE 0 END AS BIGINT)`;
    }
  }

  #condition(part: Part): string {
    const random = this.#random;
    const { text, type } = this.#column(part);
    const literal = type === 'STRING' ? random.of(["'a'", "'b'", "''"]) : String(random.int(0, 3));
    return random.of([
      `${text} IS NOT NULL`,
      `${text} ${random.of(['=', '<>', '>', '<='])} ${literal}`,
      `${text} = ${this.#column({ ...part, columns: part.columns.filter(c => c.type === type) }).text}`,
    ]);
  }

  /** A condition with a query inside; columns of `part` may stand in it. */
  #subquery(part: Part, depth: number): string {
    const random = this.#random;
    const inner = this.#relation(depth - 1);
    const not = random.chance(0.4) ? 'NOT ' : '';
    const choice = random.int(0, 3);
    const pair = this.#pair(part, inner);
    if (choice === 0) {
      const conditions = [...(random.chance(0.8) ? pair : []), ...this.#further(part, inner)];
      return `${not}EXISTS (SELECT ${random.of(['1', '*'])} FROM ${inner.sql}${whereAll(conditions)})`;
    }
    const [own] = pair.length > 0 ? this.#fitting(part, inner) : [];
    if (choice === 1 || !own) {
      const { sql, column } = this.#lookedUp(part, 'n', depth);
      const literals = column.type === 'STRING' ? ["'a'", "'b'"] : ['1', '0', '2'];
      return `${sql} ${random.of(['>', '=', '<='])} ${random.of(literals)}`;
    }
    const conditions = [
      ...(random.chance(0.4) ? this.#pair(part, inner) : []),
      ...this.#further(part, inner),
    ];
    const values = `(SELECT ${own[1]} FROM ${inner.sql}${whereAll(conditions)})`;
    if (random.chance(0.3)) {
      const compared = `${own[0]} ${random.of(['<', '<=', '>', '>=', '=', '<>'])} ${random.of(['ANY', 'ALL'])} ${values}`;
      return not ? `NOT (${compared})` : compared;
    }
    return `${own[0]} ${not}IN ${values}`;
  }

  /** One equality of both, when they have columns of one type. */
  #pair(part: Part, inner: Part): readonly string[] {
    const [pair] = this.#fitting(part, inner);
    return pair ? [`${pair[1]} = ${pair[0]}`] : [];
  }

  #fitting(part: Part, inner: Part): (readonly [string, string])[] {
    const text = ({ alias }: Part, name: string) => (alias === '' ? name : `${alias}.${name}`);
    const all = part.columns.flatMap(a =>
      inner.columns
        .filter(b => b.type === a.type)
        .map(b => [text(part, a.name), text(inner, b.name)] as const),
    );
    return this.#random.shuffled(all);
  }

  #further(part: Part, inner: Part): readonly string[] {
    const random = this.#random;
    const own = random.chance(0.4) ? [this.#condition(inner)] : [];
    const [pair] = this.#fitting(part, inner);
    if (!pair || !random.chance(0.3)) return own;
    return [...own, `${pair[1]} ${random.of(['<', '>=', '<>'])} ${pair[0]}`];
  }

  /** A value that a query inside gives. */
  #lookedUp(part: Part, name: string, depth: number): { sql: string; column: SqlColumn } {
    const random = this.#random;
    const inner = this.#relation(depth - 1);
    const pair = random.chance(0.7) ? this.#pair(part, inner) : [];
    const conditions = [
      ...pair,
      ...(random.chance(0.3) ? [this.#condition(inner)] : []),
      ...(random.chance(0.15) ? this.#further(part, inner) : []),
    ];
    if (random.chance(0.25)) return this.#firstValue(inner, name, conditions);
    const { sql, column } = this.#aggregate(inner, name);
    const having = random.chance(0.2) ? ' HAVING COUNT(*) > 1' : '';
    const value = column.type === 'BIGINT' ? random.of([sql, `${sql} + 1`]) : sql;
    return { sql: `(SELECT ${value} FROM ${inner.sql}${whereAll(conditions)}${having})`, column };
  }

  /** A value of the first row in an order that tells all different rows apart. */
  #firstValue(inner: Part, name: string, conditions: readonly string[]): { sql: string; column: SqlColumn } {
    const random = this.#random;
    const { text, type } = this.#column(inner);
    const order = random
      .shuffled(inner.columns)
      .map(
        c =>
          `${inner.alias === '' ? c.name : `${inner.alias}.${c.name}`}${random.of([' NULLS LAST', ' DESC NULLS LAST', ' DESC NULLS FIRST'])}`,
      )
      .join(', ');
    const offset = random.of(['', '', ' OFFSET 1']);
    const sql = `(SELECT ${text} FROM ${inner.sql}${whereAll(conditions)} ORDER BY ${order} LIMIT 1${offset})`;
    return { sql, column: { name, type } };
  }

  #aggregate(part: Part, name: string): { sql: string; column: SqlColumn } {
    const random = this.#random;
    const { text, type } = this.#column(part);
    const made = randomAggregate(random, text, type);
    return { sql: made.sql, column: { name, type: made.type } };
  }
}

function whereAll(conditions: readonly string[]): string {
  return conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
}
