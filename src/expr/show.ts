import type { SqlType } from '../core/sql-type.ts';
import { typeText } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { childrenOf } from './children.ts';
import type { CompareOp, Expr } from './expr.ts';
import type { FunctionRegistry } from './registry.ts';
import { valueKey } from './value-key.ts';
import { valueText } from './value-text.ts';

/** A typed expression as `explain` prints it: SQL, every operation in parentheses but the outermost. */
export function exprText(expr: Expr): string {
  const text = show(expr);
  return COMPOUND.has(expr.node) ? text.slice(1, -1) : text;
}

const COMPOUND: ReadonlySet<Expr['node']> = new Set([
  'arithmetic',
  'compare',
  'and',
  'or',
  'not',
  'isNull',
  'like',
  'in',
]);

function show(expr: Expr): string {
  switch (expr.node) {
    case 'literal':
      return literalText(expr.type, expr.value);
    case 'column':
    case 'parameter':
      return expr.name;
    case 'rowtime':
      return 'ROWTIME';
    case 'now':
      return 'NOW()';
    case 'lambda':
      return `(${parameters(expr)}) => ${show(expr.body)}`;
    case 'call':
      return `${expr.fn}(${expr.args.map(show).join(', ')})`;
    case 'arithmetic':
      return `(${show(expr.left)} ${expr.op} ${show(expr.right)})`;
    case 'negate':
      return `-${show(expr.arg)}`;
    case 'compare':
      return `(${show(expr.left)} ${compareText(expr.op)} ${show(expr.right)})`;
    case 'and':
    case 'or':
      return `(${show(expr.left)} ${expr.node.toUpperCase()} ${show(expr.right)})`;
    case 'not':
      return `(NOT ${show(expr.arg)})`;
    case 'isNull':
      return `(${show(expr.arg)} IS ${expr.negated ? 'NOT ' : ''}NULL)`;
    case 'like': {
      const suffix = expr.escape === null ? '' : ` ESCAPE ${quoted(expr.escape)}`;
      return `(${show(expr.arg)} ${expr.negated ? 'NOT ' : ''}LIKE ${show(expr.pattern)}${suffix})`;
    }
    case 'in':
      return `(${show(expr.arg)} ${expr.negated ? 'NOT ' : ''}IN (${expr.list.map(show).join(', ')}))`;
    case 'case': {
      const whens = expr.whens.map(w => ` WHEN ${show(w.when)} THEN ${show(w.then)}`).join('');
      return `CASE${whens}${expr.otherwise ? ` ELSE ${show(expr.otherwise)}` : ''} END`;
    }
    case 'cast':
      return `CAST(${show(expr.arg)} AS ${typeText(expr.type)})`;
    case 'field':
      return `${show(expr.arg)}->${expr.name}`;
    case 'subscript':
      return `${show(expr.arg)}[${show(expr.index)}]`;
    case 'array':
      return `ARRAY[${expr.items.map(show).join(', ')}]`;
    case 'map':
      return `MAP(${expr.entries.map(e => `${show(e.key)} := ${show(e.value)}`).join(', ')})`;
    case 'struct': {
      const names = expr.type.kind === 'STRUCT' ? expr.type.fields.map(f => f.name) : [];
      return `STRUCT(${expr.fields.map((f, i) => `${names[i] ?? ''} := ${show(f)}`).join(', ')})`;
    }
  }
}

function compareText(op: CompareOp): string {
  if (op === 'distinct') return 'IS DISTINCT FROM';
  return op === 'not distinct' ? 'IS NOT DISTINCT FROM' : op;
}

function parameters(expr: Extract<Expr, { node: 'lambda' }>): string {
  const names = new Map<number, string>();
  collectNames(expr.body, names);
  return expr.slots.map(slot => names.get(slot) ?? '_').join(', ');
}

function collectNames(expr: Expr, names: Map<number, string>): void {
  if (expr.node === 'parameter') names.set(expr.slot, expr.name);
  for (const child of childrenOf(expr)) collectNames(child, names);
}

/** A constant as SQL: strings quoted, times and bytes with the name of their type. */
export function literalText(type: SqlType, value: Value | null): string {
  if (value === null) return 'NULL';
  const text = valueText(type)(value);
  switch (type.kind) {
    case 'STRING':
      return quoted(text);
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'BYTES':
      return `${type.kind} ${quoted(text)}`;
    case 'BOOLEAN':
      return text.toUpperCase();
    default:
      return text;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * An expression as one unambiguous text, for fingerprints: equal exactly when both mean the same node by node. Names of
 * columns and lambda parameters do not count, positions do. With a registry the versions of the functions count too.
 */
export function exprFingerprint(expr: Expr, registry?: FunctionRegistry): string {
  const parts = [expr.node, typeText(expr.type), ...detail(expr, registry)];
  const children = childrenOf(expr).map(c => exprFingerprint(c, registry));
  return `(${[...parts, ...children].join(' ')})`;
}

function detail(expr: Expr, registry: FunctionRegistry | undefined): readonly string[] {
  switch (expr.node) {
    case 'literal':
      return [valueKey(expr.type)(expr.value)];
    case 'column':
    case 'field':
      return [String(expr.index)];
    case 'parameter':
      return [String(expr.slot)];
    case 'lambda':
      return [expr.slots.join(',')];
    case 'call':
      return [`${expr.fn}@${registry?.find(expr.fn)?.version ?? 1}`, String(expr.site)];
    case 'arithmetic':
    case 'compare':
      return [expr.op.replace(' ', '-')];
    case 'isNull':
    case 'in':
      return [String(expr.negated)];
    case 'like':
      return [String(expr.negated), expr.escape === null ? '-' : `${expr.escape.length}:${expr.escape}`];
    case 'case':
      return [`${expr.whens.length}`, String(expr.otherwise !== null)];
    default:
      return [];
  }
}
