import type { Frame, FrameOffset } from '../../expr/window-function.ts';
import type { OverClause } from '../ast.ts';
import type { ExpressionResolver } from './expression.ts';
import { frameOffset } from './frame-offset.ts';
import type { OrderedExpr } from './resolved-query.ts';

const WHOLE: Frame = { unit: 'rows', from: null, to: null };
const BOUND = /^(?:(UNBOUNDED|.+) (PRECEDING|FOLLOWING)|CURRENT ROW)$/;

/** The frame of OVER: what is written, else the rows up to the row and all that the order does not tell apart from it. */
export function frameOf(r: ExpressionResolver, over: OverClause, order: readonly OrderedExpr[]): Frame {
  // without an order no row is before another
  const whole = order.length === 0;
  const { frame } = over;
  if (frame === null) return whole ? WHOLE : { unit: 'range', from: null, to: 0 };
  const [unit = '', ...rest] = frame.split(' ');
  const bounds = rest.join(' ');
  const between = /^BETWEEN (.+) AND (.+)$/.exec(bounds);
  const [first, last] = between ? [between[1] ?? '', between[2] ?? ''] : [bounds, 'CURRENT ROW'];
  const refuse = (message: string, hint: string) =>
    r.problems.error('invalid_statement', over.span, message, hint);
  const noFrame = () =>
    refuse(
      `"${frame}" is no frame that can be computed`,
      'write ROWS n PRECEDING, or ROWS BETWEEN n PRECEDING AND m FOLLOWING; an end may be UNBOUNDED or CURRENT ROW',
    );
  const ends = [BOUND.exec(first), BOUND.exec(last)].filter(end => end !== null);
  if (ends.length < 2 || first === 'UNBOUNDED FOLLOWING' || last === 'UNBOUNDED PRECEDING') {
    throw noFrame();
  }
  const offsets = ends.map(([, text]) => text).filter(text => text !== undefined && text !== 'UNBOUNDED');
  const ordered = <T extends FrameOffset>([from, to]: readonly (T | null)[]) => {
    if (from !== null && from !== undefined && to !== null && to !== undefined && from > to) {
      throw refuse('a frame that ends before it begins is empty', 'write the earlier end first');
    }
    return { from: from ?? null, to: to ?? null };
  };
  if (unit === 'GROUPS' && whole) {
    throw refuse('GROUPS are rows that an order does not tell apart, and there is none', 'add ORDER BY');
  }
  if (unit === 'RANGE' && offsets.length > 0) {
    const [by] = order;
    if (by === undefined || order.length > 1) {
      throw refuse('a RANGE of values needs an order by one column', 'write ORDER BY of that column alone');
    }
    const from = (text: string) => {
      const found = frameOffset(text, by.expr.type);
      if ('offset' in found) return found.offset;
      throw refuse(found.message, found.hint);
    };
    const zero = typeof from(offsets[0] as string) === 'bigint' ? 0n : 0;
    return { unit: 'values', ...ordered(ends.map(end => offsetOf(end, from, zero))), written: frame };
  }
  const count = (text: string) => {
    if (!/^\d{1,9}$/.test(text)) throw noFrame();
    return Number(text);
  };
  const counted = ordered(ends.map(end => offsetOf(end, count, 0)));
  if (unit === 'RANGE') return whole ? WHOLE : { unit: 'range', ...counted };
  return { unit: unit === 'GROUPS' ? 'groups' : 'rows', ...counted };
}

/** Where an end stands to the row; null: without end. */
function offsetOf<T extends FrameOffset>(
  [, text, direction]: RegExpExecArray,
  read: (text: string) => T,
  zero: T,
): T | null {
  if (text === undefined) return zero;
  if (text === 'UNBOUNDED') return null;
  const offset = read(text);
  // no negative zero
  return direction === 'PRECEDING' ? ((typeof offset === 'bigint' ? -offset : 0 - offset) as T) : offset;
}
