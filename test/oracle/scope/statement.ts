import { type Expr, printExpr, smallerExprs } from './expression.ts';

/** A statement of a random script: plain data, so that a shrinker can take parts away. */
export interface ScopeStatement {
  readonly create: 'STREAM' | 'TABLE' | 'VIEW' | 'INSERT INTO';
  readonly name: string;
  /** properties after WITH */
  readonly settings: readonly string[];
  readonly distinct: boolean;
  readonly items: readonly Item[];
  readonly from: string;
  readonly joins: readonly Join[];
  readonly window: string;
  readonly where: readonly Expr[];
  readonly partition: readonly Expr[];
  readonly group: readonly Expr[];
  readonly having: Expr | null;
  readonly emit: string;
  /** a whole query instead of all the clauses; `from` names what it reads */
  readonly query: string | null;
}

export interface Item {
  /** null: `*` */
  readonly expr: Expr | null;
  readonly name: string | null;
}

export interface Join {
  /** as `LEFT JOIN t r` */
  readonly text: string;
  readonly within: string;
  readonly on: readonly Expr[];
}

export const EMPTY: Omit<ScopeStatement, 'create' | 'name' | 'from'> = {
  settings: [],
  distinct: false,
  items: [],
  joins: [],
  window: '',
  where: [],
  partition: [],
  group: [],
  having: null,
  emit: '',
  query: null,
};

export function printStatement(s: ScopeStatement): string {
  if (s.query !== null) return `CREATE ${s.create} ${s.name} AS ${s.query};`;
  const list = (exprs: readonly Expr[], separator: string) => exprs.map(printExpr).join(separator);
  const items = s.items.map(({ expr, name }) =>
    expr === null ? '*' : `${printExpr(expr)}${name === null ? '' : ` AS ${name}`}`,
  );
  const joins = s.joins.map(j => ` ${j.text}${j.within} ON ${list(j.on, ' AND ')}`);
  const head = s.create === 'INSERT INTO' ? `INSERT INTO ${s.name}` : `CREATE ${s.create} ${s.name}`;
  const clauses = [
    s.create === 'INSERT INTO'
      ? head
      : `${head}${s.settings.length > 0 ? ` WITH (${s.settings.join(', ')})` : ''} AS`,
    `SELECT ${s.distinct ? 'DISTINCT ' : ''}${items.join(', ')}`,
    `FROM ${s.from}${joins.join('')}`,
    s.window,
    s.where.length > 0 ? `WHERE ${list(s.where, ' AND ')}` : '',
    s.partition.length > 0 ? `PARTITION BY ${list(s.partition, ', ')}` : '',
    s.group.length > 0 ? `GROUP BY ${list(s.group, ', ')}` : '',
    s.having === null ? '' : `HAVING ${printExpr(s.having)}`,
    s.emit,
  ];
  return `${clauses.filter(c => c !== '').join(' ')};`;
}

/** The statement with something less; the planner says which of them still mean something. */
export function* smallerStatements(s: ScopeStatement): Generator<ScopeStatement> {
  if (s.query !== null) return;
  if (s.having) yield { ...s, having: null };
  if (s.window !== '') yield { ...s, window: '', emit: '' };
  if (s.emit !== '') yield { ...s, emit: '' };
  if (s.distinct) yield { ...s, distinct: false };
  if (s.partition.length > 0) yield { ...s, partition: [] };
  for (const i of s.where.keys()) yield { ...s, where: s.where.toSpliced(i, 1) };
  for (const i of s.items.keys()) if (s.items.length > 1) yield { ...s, items: s.items.toSpliced(i, 1) };
  for (const i of s.joins.keys()) yield { ...s, joins: s.joins.toSpliced(i, 1) };
  for (const i of s.settings.keys()) yield { ...s, settings: s.settings.toSpliced(i, 1) };
  for (const i of s.group.keys()) {
    const group = s.group.toSpliced(i, 1);
    yield { ...s, group };
    const gone = JSON.stringify(s.group[i]);
    yield { ...s, group, items: s.items.filter(item => JSON.stringify(item.expr) !== gone) };
  }
  for (const [i, join] of s.joins.entries()) {
    for (const on of smallerLists(join.on)) yield { ...s, joins: s.joins.with(i, { ...join, on }) };
  }
  for (const where of smallerLists(s.where)) yield { ...s, where };
  if (s.having) for (const having of smallerExprs(s.having)) yield { ...s, having };
  for (const [i, item] of s.items.entries()) {
    if (item.expr === null) continue;
    for (const expr of smallerExprs(item.expr)) yield { ...s, items: s.items.with(i, { ...item, expr }) };
  }
}

function* smallerLists(list: readonly Expr[]): Generator<readonly Expr[]> {
  for (const [i, expr] of list.entries()) {
    if (list.length > 1) yield list.toSpliced(i, 1);
    for (const smaller of smallerExprs(expr)) yield list.with(i, smaller);
  }
}
