import type { Span } from '../../core/span.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Expression, OrderItem, Select } from '../ast.ts';
import { canonicalName } from '../catalog.ts';
import { numberedOutput, withKey } from './complete-select.ts';
import { columnExprs, derivedRelation, plainQuery, type Rows } from './derived-relation.ts';
import { relationSide } from './join-sides.ts';
import type { Problems } from './problems.ts';
import { rankedSide } from './ranked-rows.ts';
import type { OrderedExpr, ResolvedQuery } from './resolved-query.ts';
import { nullsFirst } from './window-calls.ts';

const EXTRA = '$order_';

/** The SELECT with what it is ordered by at the end of its list, where that is no column of the list. */
export function withOrderColumns(select: Select, orderBy: readonly OrderItem[]): Select {
  if (select.distinct) return select;
  const items = orderBy.flatMap((item, i) => {
    const { expression } = item;
    if (expression.kind === 'number' || isListed(expression, select)) return [];
    const alias = { name: `${EXTRA}${i}`, quoted: true, span: expression.span };
    return [{ kind: 'expression', expression, alias, span: expression.span } as const];
  });
  return { ...select, items: [...select.items, ...items] };
}

function isListed(expression: Expression, { items }: Select): boolean {
  if (expression.kind !== 'column' || expression.qualifier) return false;
  const name = expression.name.name.toUpperCase();
  return items.some(item => {
    if (item.kind !== 'expression') return false;
    if (item.alias) return item.alias.name.toUpperCase() === name;
    return item.expression.kind === 'column' && item.expression.name.name.toUpperCase() === name;
  });
}

/** The first rows in order. Those of a view have a key; those of its parts may come and go without one. */
export function limitedRows(
  rows: Rows,
  options: {
    readonly orderBy: readonly OrderItem[];
    readonly from: number;
    readonly to: number | null;
    readonly served: boolean;
    readonly span: Span;
    readonly problems: Problems;
  },
): Rows {
  const { orderBy, from, to, served, span, problems } = options;
  const name = { name: 'rows', quoted: false, span };
  const relation = derivedRelation(rows, { name, columns: [], problems });
  const columns = columnExprs(relation.schema);
  const listed = relation.schema.columns.slice(0, rows.listed).filter(c => !c.name.startsWith(EXTRA)).length;
  const order = orderBy.map((item, i): OrderedExpr => {
    const expr = columns[positionOf(item, i, { relation, listed, all: rows.listed, problems })] as Expr;
    return { expr, descending: item.descending, nullsFirst: nullsFirst(item) };
  });
  const side = rankedSide(relationSide(relation), { partition: [], order, from, to });
  const { changes, schema } = relation;
  const keys = changes === 'append' ? [] : schema.key.map(i => columns[i] as Expr);
  const shown = columns.slice(0, listed);
  const named = schema.columns.slice(0, listed);
  const unique = keys.length > 0;
  const output = withKey(named, shown, keys, { windowed: schema.windowed && unique, needed: unique });
  const copies = served && !unique;
  const input = { ...relation, kind: 'table', changes: 'retract', schema: side.schema, hidden: [] } as const;
  const query: ResolvedQuery = {
    ...plainQuery(input, side),
    ...(copies ? numberedOutput(output) : output),
    columns: output.columns,
    copies,
    keyed: served && unique,
    changes: served ? 'upsert' : 'retract',
    window: output.schema.windowed ? relation.window : null,
  };
  return { derived: { kind: 'query', query }, listed };
}

function positionOf(
  { expression }: OrderItem,
  i: number,
  options: {
    readonly relation: { readonly schema: { readonly columns: readonly { readonly name: string }[] } };
    readonly listed: number;
    readonly all: number;
    readonly problems: Problems;
  },
): number {
  const { relation, listed, all, problems } = options;
  const { columns } = relation.schema;
  if (expression.kind === 'number') {
    const at = Number(expression.text) - 1;
    if (Number.isInteger(at) && at >= 0 && at < listed) return at;
    throw problems.error(
      'invalid_statement',
      expression.span,
      `ORDER BY position ${expression.text} is not in the select list`,
      `write a number from 1 to ${listed}, or the column itself`,
    );
  }
  const extra = columns.findIndex(c => c.name === `${EXTRA}${i}`);
  if (extra >= 0 && extra < all) return extra;
  const name = expression.kind === 'column' && !expression.qualifier ? expression.name : null;
  const at = name
    ? columns
        .slice(0, listed)
        .findIndex(c => canonicalName(c.name, false) === canonicalName(name.name, false))
    : -1;
  if (at >= 0) return at;
  throw problems.error(
    'invalid_statement',
    expression.span,
    'rows of DISTINCT, UNION, INTERSECT and EXCEPT are ordered by columns of the select list',
    'write the name of such a column, or its position',
  );
}
