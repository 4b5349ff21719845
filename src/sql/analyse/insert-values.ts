import type { Span } from '../../core/span.ts';
import { BIGINT, typeText } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { canCast } from '../../expr/coercion.ts';
import type { Expr } from '../../expr/expr.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import type { Expression, Identifier } from '../ast.ts';
import type { Catalog, Relation } from '../catalog.ts';
import { asArgument } from './call-arguments.ts';
import { coerceTo, isStringLiteral } from './coerce.ts';
import { ExpressionResolver } from './expression.ts';
import type { Problems } from './problems.ts';
import { findColumns } from './scope.ts';

/** One row to write: constant expressions in the order of the relation's columns; ROWTIME when it is given. */
export interface InsertRow {
  readonly columns: readonly Expr[];
  /** which columns were named; the others are NULL */
  readonly given: readonly boolean[];
  /** BIGINT ms, or null: now */
  readonly rowtime: Expr | null;
}

export interface InsertRowOptions {
  readonly target: Relation;
  /** empty: all columns in declared order */
  readonly columns: readonly Identifier[];
  readonly values: readonly Expression[];
  readonly span: Span;
  readonly catalog: Catalog;
  readonly functions: FunctionRegistry;
  readonly problems: Problems;
  /** a row that is written (INSERT), or one that is compared (ASSERT VALUES) */
  readonly purpose: 'insert' | 'assert';
}

/** VALUES of INSERT and ASSERT as the types of the relation's columns. */
export function resolveRow(options: InsertRowOptions): InsertRow {
  const { target, problems, values } = options;
  const resolver = new ExpressionResolver(
    {
      problems,
      functions: options.functions,
      catalog: options.catalog,
      mode: 'strict',
      scope: { relations: [], columns: [] },
      numbering: { slot: 0, site: 0 },
      spans: new WeakMap(),
      subqueries: null,
    },
    { clause: 'VALUES' },
  );
  const { schema } = target;
  const named = targetColumns(options);
  if (named.length !== values.length) {
    throw problems.error(
      'invalid_statement',
      options.span,
      `${values.length} value${values.length === 1 ? '' : 's'} for ${named.length} column${named.length === 1 ? '' : 's'} of "${target.name}"`,
    );
  }
  const columns: (Expr | null)[] = schema.columns.map(() => null);
  let rowtime: Expr | null = null;
  named.forEach((name, i) => {
    const value = values[i];
    if (!value) return;
    const expr = resolver.resolve(value);
    if (name === 'ROWTIME') {
      rowtime = constant(expr, BIGINT, value.span, problems);
      return;
    }
    const type = schema.columns[name]?.type ?? BIGINT;
    columns[name] = constant(expr, type, value.span, problems);
  });
  const missing = schema.key.find(i => columns[i] === null && !isWindowKey(target, i));
  if (options.purpose === 'insert' && target.kind === 'table' && missing !== undefined) {
    throw problems.error(
      'invalid_statement',
      options.span,
      `the value of the PRIMARY KEY column "${schema.columns[missing]?.name}" is missing`,
      `name it: INSERT INTO ${target.name} (${schema.columns[missing]?.name}, ...) VALUES (...)`,
    );
  }
  return {
    columns: columns.map(
      (c, i): Expr =>
        c ?? { node: 'literal', type: schema.columns[i]?.type ?? BIGINT, value: null as Value | null },
    ),
    given: columns.map(c => c !== null),
    rowtime,
  };
}

function isWindowKey(relation: Relation, index: number): boolean {
  return relation.schema.windowed && relation.schema.key.slice(-2).includes(index);
}

function targetColumns(options: InsertRowOptions): readonly (number | 'ROWTIME')[] {
  const { target, problems } = options;
  const columns = target.schema.columns.map((c, i) => ({ name: c.name, i }));
  if (options.columns.length === 0) {
    return columns
      .filter(c => !isWindowKey(target, c.i))
      .map(c => {
        refuseHeader(options, c.i, options.span);
        return c.i;
      });
  }
  const seen = new Set<number | 'ROWTIME'>();
  return options.columns.map(name => {
    const [found] = findColumns(columns, name);
    const at = found ? found.i : name.name.toUpperCase() === 'ROWTIME' ? 'ROWTIME' : null;
    if (at === null) {
      throw problems.error(
        'unknown_column',
        name.span,
        `"${target.name}" has no column "${name.name}"`,
        `its columns: ${columns.map(c => c.name).join(', ')}`,
      );
    }
    if (seen.has(at)) throw problems.error('duplicate_name', name.span, `column "${name.name}" stands twice`);
    seen.add(at);
    if (at !== 'ROWTIME') refuseHeader(options, at, name.span);
    return at;
  });
}

function refuseHeader(options: InsertRowOptions, index: number, span: Span): void {
  const from = options.target.source?.columns[index]?.from;
  if (options.purpose === 'insert' && (from === 'headers' || from === 'header')) {
    throw options.problems.error(
      'invalid_statement',
      span,
      `column "${options.target.schema.columns[index]?.name}" is filled from headers and cannot be inserted`,
    );
  }
}

function constant(expr: Expr, type: Expr['type'], span: Span, problems: Problems): Expr {
  const converted = coerceTo(expr, type);
  if (converted) return converted;
  // INSERT reads text and numbers more freely than expressions do: '12.50' may fill a DECIMAL
  if (isStringLiteral(expr) && type.kind !== 'BYTES') {
    throw problems.error(
      'type_mismatch',
      span,
      `'${String(expr.value)}' is no ${typeText(type)}`,
      `write a value of the type ${typeText(type)}`,
    );
  }
  if (canCast(expr.type, type)) return asArgument(expr, type);
  if (expr.type.kind === 'STRING' && type.kind === 'BYTES') return asArgument(expr, type);
  throw problems.error('type_mismatch', span, `${typeText(expr.type)} does not fit ${typeText(type)}`);
}
