import type { EvalContext } from '../functions.ts';
import { MAX_ITEMS } from './limits.ts';

/**
 * The numbers from one to another, both included, of the type of the bounds. Without a step they go up or down by 1;
 * a step must lead from the first to the second.
 */
export function series<N extends number | bigint>(
  from: N,
  to: N,
  step: number | null,
  ctx: EvalContext,
): N[] | null {
  const start = BigInt(from);
  const distance = BigInt(to) - start;
  const by = step === null ? (distance < 0n ? -1n : 1n) : BigInt(step);
  if (by === 0n) return ctx.fail('GENERATE_SERIES: the step must not be 0');
  if (distance !== 0n && distance > 0n !== by > 0n) {
    return ctx.fail('GENERATE_SERIES: the step has the wrong sign');
  }
  const last = distance / by;
  if (last >= MAX_ITEMS) return ctx.fail(`GENERATE_SERIES: more than ${MAX_ITEMS} numbers`);
  return Array.from({ length: Number(last) + 1 }, (_, i) => {
    const value = start + BigInt(i) * by;
    return (typeof from === 'bigint' ? value : Number(value)) as N;
  });
}
