import { parseDate, parseTime, parseTimestamp } from '../../core/iso-time.ts';
import { DATE, TIME, TIMESTAMP } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Expression } from '../ast.ts';
import { literal } from './coerce.ts';
import type { Problems } from './problems.ts';

const EXAMPLES = {
  date: "DATE '2026-01-31'",
  time: "TIME '08:30:00'",
  timestamp: "TIMESTAMP '2026-01-31T08:30:00'",
} as const;

/** `DATE '...'`, `TIME '...'`, `TIMESTAMP '...'`. */
export function typedLiteral(
  { type, value, span }: Extract<Expression, { kind: 'typedLiteral' }>,
  problems: Problems,
): Expr {
  if (type === 'interval') {
    const hint = `write a point in time before it: NOW() - INTERVAL '${value}' ...`;
    throw problems.error('type_mismatch', span, 'an INTERVAL is added to a DATE or TIMESTAMP', hint);
  }
  const number = { date: parseDate, time: parseTime, timestamp: parseTimestamp }[type](value);
  if (number === null) {
    const message = `'${value}' is no ${type.toUpperCase()}`;
    throw problems.error('type_mismatch', span, message, `write ${EXAMPLES[type]}`);
  }
  return literal({ date: DATE, time: TIME, timestamp: TIMESTAMP }[type], number);
}
