import { typeText } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { InsertInto } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { coerceTo } from './coerce.ts';
import type { Problems } from './problems.ts';
import type { ResolvedQuery } from './resolved-query.ts';
import type { StrictResult } from './strict-query.ts';

/** INSERT INTO: the query's columns must be the stream's: same names, same key, types that widen to its types. */
export function matchInsert(
  result: StrictResult,
  target: Relation,
  statement: InsertInto,
  problems: Problems,
): ResolvedQuery {
  const { query } = result;
  const order: number[] = [];
  const exprs: Expr[] = [];
  const used = new Set<number>();
  const before = problems.count;
  const span = statement.target.span;
  target.schema.columns.forEach((column, i) => {
    const at = query.schema.columns.findIndex(
      (c, j) => !used.has(j) && c.name.toUpperCase() === column.name.toUpperCase(),
    );
    const expr = query.columns[at];
    if (at < 0 || !expr) {
      problems.report(
        'invalid_statement',
        span,
        `the query has no column "${column.name}" of "${target.name}"`,
        `select it: SELECT ..., ... AS ${column.name}`,
      );
      return;
    }
    used.add(at);
    const isKey = query.schema.key.includes(at);
    if (isKey !== target.schema.key.includes(i)) {
      problems.report(
        'invalid_statement',
        result.spans[at] ?? span,
        `column "${column.name}" is ${isKey ? 'a key column' : 'no key column'} of the query, but ${isKey ? 'none' : 'one'} of "${target.name}"`,
        isKey ? 'write PARTITION BY with the key of the stream' : `write PARTITION BY ${column.name}`,
      );
      return;
    }
    const converted = coerceTo(expr, column.type);
    if (!converted) {
      problems.report(
        'type_mismatch',
        result.spans[at] ?? span,
        `column "${column.name}" is ${typeText(expr.type)}, but ${typeText(column.type)} in "${target.name}"`,
        `write CAST(... AS ${typeText(column.type)}) AS ${column.name}`,
      );
      return;
    }
    order.push(at);
    exprs.push(converted);
  });
  query.schema.columns.forEach((column, i) => {
    if (!used.has(i) && !query.schema.windowed) {
      problems.report(
        'invalid_statement',
        result.spans[i] ?? span,
        `"${target.name}" has no column "${column.name}"`,
        `leave it out, or call it as one of ${target.schema.columns.map(c => c.name).join(', ')}`,
      );
    }
  });
  const first = problems.errors.length > before ? problems.errors[before] : null;
  if (first) throw first;
  return { ...query, columns: exprs, schema: target.schema };
}
