import { OPERATORS } from './operators.ts';
import { columnsIn, hasAggregate, sameTerm, type Term } from './term.ts';
import { decimalParts, duckdbType, kindOf } from './types.ts';
import { type JoinPart, SOURCES, type View, type Window } from './view.ts';

type Dialect = 'millrace' | 'duckdb';

/** The view's query in Millrace's SQL. */
export function millraceQuery(view: View): string {
  const print = (term: Term) => printTerm(term, 'millrace', []);
  const conditions = [...view.where.map(print), ...view.temporal.map(t => qualified(t.millrace))];
  const named = view.items.slice(view.star).map(i => `${print(i.term)} AS ${i.name}`);
  const shown = view.star > 0 ? ['*', ...named] : named;
  const from = view.join ? joinText(view, view.join) : view.from;
  const lines = [`SELECT ${view.distinct ? 'DISTINCT ' : ''}${shown.join(', ')}`, `FROM ${from}`];
  if (view.window) lines.push(windowText(view.window));
  if (conditions.length > 0) lines.push(`WHERE ${conditions.join(' AND ')}`);
  if (view.group && view.group.length > 0)
    lines.push(`GROUP BY ${view.group.map(key => keyText(view, key)).join(', ')}`);
  if (view.having) lines.push(`HAVING ${print(view.having)}`);
  if (view.window?.final) lines.push('EMIT FINAL');
  return lines.join(' ');
}

/** `l_i` of the generator is `l.i` in a join. */
function qualified(text: string): string {
  return text.replaceAll(/\b([lr])_(\w+)/g, '$1.$2');
}

function joinText(view: View, join: JoinPart): string {
  const on = joinConditions(join).map(term => printTerm(term, 'millrace', []));
  return `${view.from} l ${join.type} ${join.right} r ON ${on.join(' AND ')}`;
}

function joinConditions({ pairs, rest }: JoinPart): readonly Term[] {
  return [
    ...pairs.map(([l, r]): Term => ({ op: `${kindOf(l.type)} =`, type: 'BOOLEAN', args: [l, r] })),
    ...rest,
  ];
}

function keyText(view: View, key: Term): string {
  const at = view.items.findIndex(item => sameTerm(item.term, key));
  return view.positions && at >= 0 ? String(at + 1) : printTerm(key, 'millrace', []);
}

function windowText({ type, size, advance, grace }: Window): string {
  const ms = (n: number) => `${n} MILLISECONDS`;
  const shapes = {
    tumbling: `SIZE ${ms(size)}`,
    hopping: `SIZE ${ms(size)}, ADVANCE BY ${ms(advance)}`,
    session: ms(size),
  };
  return `WINDOW ${type.toUpperCase()} (${shapes[type]}, GRACE PERIOD ${ms(grace)})`;
}

/**
 * The same for DuckDB, in stages: rows, then windows, then groups over columns that are computed before, so that keys
 * need no matching of expressions.
 */
export function duckdbQuery(view: View): string {
  const row = (term: Term) => printTerm(term, 'duckdb', []);
  const conditions = [...view.where.map(row), ...view.temporal.map(t => t.duckdb)];
  const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
  const rows = `SELECT * FROM ${duckdbSource(view)}${where}`;
  const distinct = view.distinct ? 'DISTINCT ' : '';
  if (!view.group || !isGrouped(view)) {
    const shown = view.items.map(i => `${cast(row(i.term), i.term)} AS ${i.name}`);
    if (view.overWindows && !view.distinct) shown.push('WINDOWSTART', 'WINDOWEND');
    return `SELECT ${distinct}${shown.join(', ')} FROM (${rows})`;
  }
  const keys = view.group;
  const names = keys.map((_, i) => `key_${i}`);
  const over = (term: Term) => printTerm(term, 'duckdb', keys);
  const computed = keys.map((key, i) => `${cast(row(key), key)} AS ${names[i]}`);
  const keyed = `SELECT ${['*', ...computed].join(', ')} FROM (${rows})`;
  const input = view.window ? windowRows(keyed, names, view.window) : keyed;
  const groupBy = [...names, ...(view.window ? ['window_start', 'window_end'] : [])];
  const shown = [
    ...view.items.map(i => `${cast(over(i.term), i.term)} AS ${i.name}`),
    ...(view.window ? ['window_start AS WINDOWSTART', 'window_end AS WINDOWEND'] : []),
  ];
  return [
    `SELECT ${distinct}${shown.join(', ')}`,
    `FROM (${input})`,
    groupBy.length > 0 ? `GROUP BY ${groupBy.join(', ')}` : '',
    view.having ? `HAVING ${over(view.having)}` : '',
  ].join(' ');
}

/** Without keys a query is grouped by its aggregates or HAVING alone. */
export function isGrouped({ group, items, having }: View): boolean {
  return group !== null && (group.length > 0 || having !== null || items.some(i => hasAggregate(i.term)));
}

function windowRows(rows: string, keys: readonly string[], window: Window): string {
  return window.type === 'session' ? sessionRows(rows, keys, window) : alignedRows(rows, window);
}

/**
 * The late rule: a row counts for each window around its time that is still open, windowEnd + grace > lane time, where lane
 * time is the largest time of the rows that have come in so far, its own included.
 */
function alignedRows(rows: string, { size, advance, grace, final }: Window): string {
  const closed = final ? ` AND window_end + ${grace} <= (SELECT max(rowtime) FROM (${rows}))` : '';
  return `SELECT * FROM (
    SELECT *, unnest(generate_series(0, rowtime, ${advance})) AS window_start, window_start + ${size} AS window_end
    FROM (SELECT *, max(rowtime) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) AS lane_time FROM (${rows})))
    WHERE window_end > rowtime AND window_end + ${grace} > lane_time${closed}`;
}

/** A row more than the gap after the one before it in its group begins a session. */
function sessionRows(rows: string, keys: readonly string[], { size }: Window): string {
  const group = keys.length > 0 ? `PARTITION BY ${keys.join(', ')}` : '';
  const session = `PARTITION BY ${[...keys, 'session'].join(', ')}`;
  return `SELECT *, min(rowtime) OVER (${session}) AS window_start, max(rowtime) OVER (${session}) AS window_end FROM (
    SELECT *, sum(begins) OVER (${group} ORDER BY rowtime, seq ROWS UNBOUNDED PRECEDING) AS session FROM (
    SELECT *, CASE WHEN rowtime - lag(rowtime) OVER (${group} ORDER BY rowtime, seq) <= ${size} THEN 0 ELSE 1 END AS begins
    FROM (${rows})))`;
}

function duckdbSource(view: View): string {
  const used = columnsOfView(view);
  const { join } = view;
  if (!join) return duckdbRelation(view.from, used);
  const of = (prefix: string) => used.filter(c => c.startsWith(prefix)).map(c => c.slice(prefix.length));
  const shown = [
    ...join.columns.left.map(name => `l.${name} AS l_${name}`),
    ...join.columns.right.map(name => `r.${name} AS r_${name}`),
  ];
  const on = joinConditions(join).map(term => qualified(printTerm(term, 'duckdb', [])));
  const left = duckdbRelation(view.from, of('l_'));
  const right = duckdbRelation(join.right, of('r_'));
  return `(SELECT ${shown.join(', ')} FROM ${left} l ${join.type} ${right} r ON ${on.join(' AND ')})`;
}

function duckdbRelation(name: string, used: readonly string[]): string {
  if (!(name in SOURCES)) return name;
  return `${name}_rows([${['*', ...used].map(column => `'${column}'`).join(', ')}])`;
}

/** Records that cannot be read in one of these are dropped for this view. */
function columnsOfView(view: View): readonly string[] {
  const used = new Set<string>(view.temporal.map(t => t.column));
  for (const term of view.join ? joinConditions(view.join) : []) columnsIn(term, used);
  for (const { term } of view.items) columnsIn(term, used);
  for (const term of [...view.where, ...(view.group ?? []), ...(view.having ? [view.having] : [])]) {
    columnsIn(term, used);
  }
  return [...used];
}

function cast(text: string, term: Term): string {
  return `CAST(${text} AS ${duckdbType(term.type)})`;
}

/** Terms equal to one of `keys` are the group's columns. */
function printTerm(term: Term, dialect: Dialect, keys: readonly Term[]): string {
  const key = keys.findIndex(k => sameTerm(k, term));
  if (key >= 0) return `key_${key}`;
  if (term.op === 'column') return dialect === 'millrace' ? qualified(term.text ?? '') : (term.text ?? '');
  if (term.op === 'literal') return literalText(term, dialect);
  if (term.op === 'null') {
    return `CAST(NULL AS ${dialect === 'duckdb' ? duckdbType(term.type) : term.type})`;
  }
  if (term.op === 'aggregate') return aggregateText(term, dialect);
  const operator = OPERATORS[term.op];
  if (!operator) throw new Error(`no operator ${term.op}`);
  const args = term.args.map(arg => printTerm(arg, dialect, keys));
  if (dialect === 'millrace' || !operator.duckdb) return operator.sql(...args);
  return operator.duckdb(args, [...term.args.map(a => a.type), term.type]);
}

function literalText(term: Term, dialect: Dialect): string {
  const text = term.text ?? '';
  switch (kindOf(term.type)) {
    case 'STRING':
      return `'${text.replaceAll("'", "''")}'`;
    case 'DATE':
      return `DATE '${text}'`;
    case 'TIMESTAMP':
      return `TIMESTAMP '${text}'`;
    case 'BIGINT':
      return `CAST(${text} AS BIGINT)`;
    case 'DOUBLE':
      return `${text}e0`;
    case 'DECIMAL':
      return dialect === 'duckdb' ? `CAST(${text} AS ${term.type})` : text;
    default:
      return text;
  }
}

function aggregateText(term: Term, dialect: Dialect): string {
  const inner = (t: Term) => printTerm(t, dialect, []);
  const filter = term.filter ? ` FILTER (WHERE ${inner(term.filter)})` : '';
  const [arg] = term.args;
  if (!arg) return `COUNT(*)${filter}`;
  const call = (name: string) => `${name}(${term.distinct ? 'DISTINCT ' : ''}${inner(arg)})${filter}`;
  // DuckDB's AVG of DECIMAL is DOUBLE, ours exact and half up to at least six places
  if (dialect === 'duckdb' && term.text === 'AVG' && kindOf(arg.type) === 'DECIMAL') {
    const from = decimalParts(arg.type).scale;
    const to = decimalParts(term.type).scale;
    const power = 10n ** BigInt(to - from);
    return `(CAST(divided(unscaled(${call('SUM')}) * ${power}::HUGEINT, ${call('COUNT')}) AS DECIMAL(38, 0)) * CAST('1e-${to}' AS DECIMAL(${to + 1}, ${to})))`;
  }
  // the value of the last (first) row that has one
  if (dialect === 'duckdb' && term.text === 'LATEST_BY_OFFSET') return `arg_max(${inner(arg)}, seq)`;
  if (dialect === 'duckdb' && term.text === 'EARLIEST_BY_OFFSET') return `arg_min(${inner(arg)}, seq)`;
  // DuckDB's sums are HUGEINT
  if (dialect === 'duckdb') return `CAST(${call(term.text ?? '')} AS ${duckdbType(term.type)})`;
  return call(term.text ?? '');
}
