import type { Expression, Query } from '../ast.ts';
import type { Problems } from './problems.ts';

/** Positions from 0: those before `to`, from `from` on. */
export interface Limits {
  readonly from: number;
  readonly to: number | null;
}

export function isOne({ from, to }: Limits): boolean {
  return to !== null && to - from === 1;
}

/** ORDER BY ... LIMIT n OFFSET m as positions from 0; null: there is no limit. */
export function limitsOf(query: Query, problems: Problems): Limits | null {
  const { limit, offset, orderBy } = query;
  const first = limit ?? offset;
  if (!first) return null;
  if (orderBy.length === 0) {
    throw problems.error(
      'invalid_statement',
      first.span,
      'LIMIT without an order takes any rows: which ones would change without a reason',
      'write ORDER BY ... LIMIT n',
    );
  }
  const from = offset ? wholeNumber(offset, problems) : 0;
  const count = limit ? wholeNumber(limit, problems) : null;
  if (limit && count === 0) {
    throw problems.error(
      'invalid_statement',
      limit.span,
      'LIMIT 0 takes no rows at all',
      'write LIMIT 1 or more',
    );
  }
  return { from, to: count === null ? null : from + count };
}

function wholeNumber(expression: Expression, problems: Problems): number {
  if (expression.kind === 'number' && /^\d{1,9}$/.test(expression.text)) return Number(expression.text);
  throw problems.error(
    'invalid_statement',
    expression.span,
    'LIMIT and OFFSET of a view are whole numbers that are written out',
    'write for instance LIMIT 10',
  );
}
