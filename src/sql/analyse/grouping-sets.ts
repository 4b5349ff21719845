import type { FunctionRegistry } from '../../expr/registry.ts';
import type { Expression, GroupBy, QueryBody, Relation, Select, SelectItem } from '../ast.ts';
import type { Catalog } from '../catalog.ts';
import type { Problems } from './problems.ts';
import { holdsWindowCalls } from './window-calls.ts';

const MOST_SETS = 64;

/**
 * GROUPING SETS, ROLLUP and CUBE are a union of queries, each grouped by one of the sets: keys that are not in it are NULL
 * there. `GROUPING(a, b)` is a number whose bits say which of them are not.
 */
export function groupedBySets(
  select: Select,
  options: { readonly functions: FunctionRegistry; readonly problems: Problems; readonly catalog: Catalog },
): QueryBody {
  const { groupBy } = select;
  if (!groupBy?.sets) return select;
  const { problems, catalog } = options;
  const inputs = inputNames(select.from, catalog);
  const meant = (key: Expression) => named(key, select, inputs);
  if (select.window) {
    throw problems.error(
      'invalid_statement',
      select.window.span,
      'WINDOW beside GROUPING SETS, ROLLUP and CUBE is not supported',
      'group by window and keys in a subquery in FROM, then by the sets',
    );
  }
  if (holdsWindowCalls(select)) {
    throw problems.error(
      'invalid_statement',
      groupBy.span,
      'window functions (OVER) cannot stand beside GROUPING SETS, ROLLUP and CUBE: they would see each grouping alone',
      'group in a subquery in FROM: FROM (SELECT a, b, COUNT(*) AS n FROM t GROUP BY ROLLUP (a, b)) AS q',
    );
  }
  const sets = setsOf(groupBy).map(set => [...groupBy.items, ...set].map(meant));
  if (sets.length > MOST_SETS) {
    throw problems.error(
      'invalid_statement',
      groupBy.span,
      `these are ${sets.length} groupings; at most ${MOST_SETS} can be kept`,
      'write the groupings that are needed: GROUP BY GROUPING SETS ((a, b), (a), ())',
    );
  }
  const keys = sets.flat();
  const arms = sets.map(set => arm(select, { set, keys, functions: options.functions }));
  return arms.reduce<QueryBody | null>(
    (left, right) =>
      left === null
        ? right
        : { kind: 'setOperation', op: 'union', all: !select.distinct, left, right, span: select.span },
    null,
  ) as QueryBody;
}

function setsOf({ sets }: GroupBy): readonly (readonly Expression[])[] {
  const groups = sets?.groups ?? [];
  switch (sets?.kind) {
    case 'rollup':
      return [...groups, null].map((_, i) => groups.slice(0, groups.length - i).flat());
    case 'cube':
      return Array.from({ length: 2 ** Math.min(groups.length, 20) }, (_, bits) =>
        groups.filter((_group, i) => ((bits >> (groups.length - 1 - i)) & 1) === 0).flat(),
      );
    default:
      return groups;
  }
}

/** A position means the item, and so does its name where no column of FROM has it. */
function named(key: Expression, { items }: Select, inputs: ReadonlySet<string>): Expression {
  if (key.kind === 'number') {
    const item = items[Number(key.text) - 1];
    return item?.kind === 'expression' ? item.expression : key;
  }
  if (key.kind !== 'column' || key.qualifier) return key;
  const name = key.name.name.toUpperCase();
  const item = items.find(i => i.kind === 'expression' && i.alias?.name.toUpperCase() === name);
  if (item?.kind !== 'expression' || inputs.has(name) || mentions(item.expression, name)) return key;
  return item.expression;
}

/** Columns of the sources that are named in FROM. */
function inputNames(from: Relation | null, catalog: Catalog, into: Set<string> = new Set()): Set<string> {
  if (from?.kind === 'join') {
    inputNames(from.left, catalog, into);
    inputNames(from.right, catalog, into);
  } else if (from?.kind === 'table') {
    for (const column of catalog.find(from.name)?.schema.columns ?? []) into.add(column.name.toUpperCase());
  }
  return into;
}

function mentions(part: unknown, name: string): boolean {
  if (typeof part !== 'object' || part === null) return false;
  if ('kind' in part && part.kind === 'column' && 'name' in part) {
    return (part.name as { readonly name: string }).name.toUpperCase() === name;
  }
  return Object.values(part).some(each => mentions(each, name));
}

interface Arm {
  readonly set: readonly Expression[];
  readonly keys: readonly Expression[];
  readonly functions: FunctionRegistry;
}

function arm(select: Select, options: Arm): Select {
  const { set, keys, functions } = options;
  const missing = keys.filter(key => !set.some(own => same(own, key)));
  const replaced = (part: Expression): Expression => {
    if (missing.some(key => same(key, part))) return { kind: 'null', span: part.span };
    if (part.kind !== 'call') return mapParts(part, replaced);
    if (part.name.name.toUpperCase() === 'GROUPING') {
      const bits = part.args.reduce((sum, arg) => sum * 2 + (missing.some(key => same(key, arg)) ? 1 : 0), 0);
      return { kind: 'number', text: String(bits), span: part.span };
    }
    // arguments of aggregates are of the rows
    return functions.find(part.name.name)?.kind === 'aggregate' ? part : mapParts(part, replaced);
  };
  const items = select.items.map((item): SelectItem => {
    if (item.kind !== 'expression') return item;
    const alias = item.alias ?? (item.expression.kind === 'column' ? item.expression.name : null);
    return { ...item, expression: replaced(item.expression), alias };
  });
  const span = select.groupBy?.span ?? select.span;
  const having: Expression | null = select.having
    ? replaced(select.having)
    : set.length === 0
      ? { kind: 'boolean', value: true, span }
      : null;
  return { ...select, items, groupBy: set.length === 0 ? null : { items: set, sets: null, span }, having };
}

/** The expression with its direct parts replaced; queries inside stay. */
function mapParts(expression: Expression, change: (part: Expression) => Expression): Expression {
  const parts = Object.entries(expression).map(([name, value]) => [name, mapped(value, change)]);
  return Object.fromEntries(parts) as Expression;
}

function mapped(value: unknown, change: (part: Expression) => Expression): unknown {
  if (Array.isArray(value)) return value.map(each => mapped(each, change));
  if (typeof value !== 'object' || value === null || 'body' in value) return value;
  if ('kind' in value && 'span' in value && !('args' in value && 'name' in value && value.kind === 'named')) {
    return change(value as Expression);
  }
  if ('when' in value || 'key' in value || 'value' in value) {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapped(part, change)]));
  }
  return value;
}

/** Whether two expressions say the same: spans, case of names and a qualifier that one leaves out do not count. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((each, i) => same(each, b[i]))
    );
  }
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  if ('quoted' in x && 'quoted' in y) return String(x.name).toUpperCase() === String(y.name).toUpperCase();
  const names = Object.keys(x).filter(name => name !== 'span' && name !== 'opSpan');
  return names.every(name => {
    const oneLacks = name === 'qualifier' && (x[name] === null || y[name] === null);
    return oneLacks || same(x[name], y[name]);
  });
}
