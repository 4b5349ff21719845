import type { Frame } from '../../expr/window-function.ts';
import type { OverClause } from '../ast.ts';
import type { ExpressionResolver } from './expression.ts';

const WHOLE: Frame = { unit: 'rows', from: null, to: null };
const BOUND = /^(?:(UNBOUNDED|\d{1,9}) (PRECEDING|FOLLOWING)|CURRENT ROW)$/;

/** The frame of OVER: what is written, else the rows up to the row and all that the order does not tell apart from it. */
export function frameOf(r: ExpressionResolver, over: OverClause): Frame {
  // without an order no row is before another
  const whole = over.orderBy.length === 0;
  const { frame } = over;
  if (frame === null) return whole ? WHOLE : { unit: 'range', from: null, to: 0 };
  const [unit = '', ...rest] = frame.split(' ');
  const bounds = rest.join(' ');
  const between = /^BETWEEN (.+) AND (.+)$/.exec(bounds);
  const [first, last] = between ? [between[1] ?? '', between[2] ?? ''] : [bounds, 'CURRENT ROW'];
  const refuse = (message: string, hint: string) =>
    r.problems.error('invalid_statement', over.span, message, hint);
  const ends = [BOUND.exec(first), BOUND.exec(last)] as const;
  // RANGE n PRECEDING, of numbers or of times
  const near = unit === 'RANGE' && ![first, last].every(bound => /^(UNBOUNDED|CURRENT) /.test(bound));
  if (unit === 'GROUPS' || near) {
    throw refuse(
      `a frame of ${near ? 'a RANGE of values' : 'GROUPS'} cannot be computed: a row that comes could change any number of others`,
      'write ROWS BETWEEN ..., or join the rows with those that are near: ON o.k = t.k AND o.x BETWEEN t.x - n AND t.x',
    );
  }
  if (!ends[0] || !ends[1] || first === 'UNBOUNDED FOLLOWING' || last === 'UNBOUNDED PRECEDING') {
    throw refuse(
      `"${frame}" is no frame that can be computed`,
      'write ROWS n PRECEDING, or ROWS BETWEEN n PRECEDING AND m FOLLOWING; an end may be UNBOUNDED or CURRENT ROW',
    );
  }
  const [from, to] = [positionOf(ends[0]), positionOf(ends[1])];
  if (from !== null && to !== null && from > to) {
    throw refuse('a frame that ends before it begins is empty', 'write the earlier end first');
  }
  if (unit === 'RANGE' && whole) return WHOLE;
  return { unit: unit === 'RANGE' ? 'range' : 'rows', from, to };
}

function positionOf([, count, direction]: RegExpExecArray): number | null {
  if (count === undefined) return 0;
  if (count === 'UNBOUNDED') return null;
  // no negative zero
  return direction === 'PRECEDING' ? 0 - Number(count) : Number(count);
}
