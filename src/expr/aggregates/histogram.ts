import { BIGINT, mapOf, STRING } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold, AggregateFunction } from '../functions.ts';

const LIMIT = 1000;

type Counts = Map<string, bigint>;

/** Counts of at most 1000 different texts; texts beyond them are ignored. */
function bump(counts: Counts, text: Value | null | undefined, by: bigint, limit: number): void {
  if (typeof text !== 'string') return;
  const n = counts.get(text);
  if (n === undefined && (by < 0n || counts.size >= limit)) return;
  const next = (n ?? 0n) + by;
  if (next > 0n) counts.set(text, next);
  else counts.delete(text);
}

function countsOf(acc: Value | null): Counts {
  return acc as unknown as Counts;
}

function histogram(limit: number): AggregateFold {
  return {
    state: mapOf(STRING, BIGINT),
    init: () => new Map(),
    add: (acc, [text]) => {
      bump(countsOf(acc), text, 1n, limit);
      return acc;
    },
    retract: (acc, [text]) => {
      bump(countsOf(acc), text, -1n, limit);
      return acc;
    },
    merge: (a, b) => {
      const counts = new Map(countsOf(a));
      for (const [text, n] of countsOf(b)) bump(counts, text, n, limit);
      return counts;
    },
    result: acc => new Map([...countsOf(acc)].slice(0, LIMIT)),
  };
}

export const HISTOGRAM: AggregateFunction = {
  kind: 'aggregate',
  name: 'HISTOGRAM',
  category: 'aggregate',
  description: 'How often each text came, for the first 1000 different texts; NULLs are skipped.',
  overloads: [
    {
      signature: '(STRING) -> MAP<STRING, BIGINT>',
      // over changing rows all texts are counted, the limit cuts the result
      make: () => ({ ...histogram(LIMIT), retracting: histogram(Number.POSITIVE_INFINITY) }),
    },
  ],
};
