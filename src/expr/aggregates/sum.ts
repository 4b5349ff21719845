import type { SqlType } from '../../core/sql-type.ts';
import { BIGINT, DOUBLE, decimal, MAX_PRECISION, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { isBigint, isInt } from '../cast.ts';
import { fitsPrecision } from '../decimal.ts';
import type { AggregateFold, AggregateFunction, AggregateOverload, EvalContext } from '../functions.ts';
import { EXACT_SUM, exactly, exactSumOf, exactSumToValue, minus, plus, toDouble, ZERO } from './exact-sum.ts';

/**
 * SUM. NULLs are skipped. Exact numbers are summed without limit and checked against the result type: a sum out of its
 * range is NULL and reported, and comes back when rows are taken away. DOUBLE over append input is a left fold in
 * sequence order, over changing rows the exact sum, rounded once.
 */

/** What a sum over no values is: 0 in strict mode (ksqlDB), NULL in complete mode (SQL). */
export type EmptySum = 'zero' | 'null';

const sumState = (sum: SqlType): SqlType =>
  structOf([
    { name: 'SUM', type: sum },
    { name: 'N', type: BIGINT },
  ]);

interface ExactSumOptions {
  readonly empty: EmptySum;
  readonly state: SqlType;
  readonly toBigint: (value: Value) => bigint;
  /** the sum as the result type has it, or null when it does not fit */
  readonly toResult: (sum: bigint) => Value | null;
}

/** State: the sum and the number of values in it. */
function exactNumberSum({ empty, state, toBigint, toResult }: ExactSumOptions): AggregateFold {
  const change = (acc: Value | null, value: Value | null | undefined, sign: 1n | -1n, ctx: EvalContext) => {
    if (value === null || value === undefined) return acc;
    const [sum, n] = acc as readonly [bigint, bigint];
    const next = sum + sign * toBigint(value);
    if (toResult(next) === null) ctx.fail(`SUM ${next} is out of range`);
    return [next, n + sign];
  };
  return {
    state: sumState(state),
    init: () => [0n, 0n],
    add: (acc, [value], ctx) => change(acc, value, 1n, ctx),
    retract: (acc, [value], ctx) => change(acc, value, -1n, ctx),
    merge: (a, b) => {
      const [x, n] = a as readonly [bigint, bigint];
      const [y, m] = b as readonly [bigint, bigint];
      return [x + y, n + m];
    },
    result: acc => {
      const [sum, n] = acc as readonly [bigint, bigint];
      return n === 0n && empty === 'null' ? null : toResult(sum);
    },
  };
}

/** The exact sum and the number of values in it: for SUM and AVG of DOUBLE over changing rows. */
export function exactDoubleFold(result: (sum: Value, n: bigint) => Value | null): AggregateFold {
  return {
    state: sumState(EXACT_SUM),
    init: () => [exactSumToValue(ZERO), 0n],
    add: (acc, [value]) => changeExact(acc, value, 1n),
    retract: (acc, [value]) => changeExact(acc, value, -1n),
    merge: (a, b) => {
      const [x, n] = a as readonly [Value, bigint];
      const [y, m] = b as readonly [Value, bigint];
      return [exactSumToValue(plus(exactSumOf(x), exactSumOf(y))), n + m];
    },
    result: acc => {
      const [sum, n] = acc as readonly [Value, bigint];
      return result(sum, n);
    },
  };
}

function changeExact(acc: Value | null, value: Value | null | undefined, sign: 1n | -1n): Value | null {
  if (value === null || value === undefined) return acc;
  const [sum, n] = acc as readonly [Value, bigint];
  const change = sign === 1n ? plus : minus;
  return [exactSumToValue(change(exactSumOf(sum), exactly(value as number))), n + sign];
}

/** A left fold of DOUBLEs; `retract` is there to say that rows may be taken away, then `retracting` runs. */
export function doubleFold(
  result: (sum: number, n: bigint) => Value | null,
  retracting: AggregateFold,
): AggregateFold {
  const change = (acc: Value | null, value: Value | null | undefined, sign: 1 | -1) => {
    if (value === null || value === undefined) return acc;
    const [sum, n] = acc as readonly [number, bigint];
    return [sum + sign * (value as number), n + BigInt(sign)];
  };
  return {
    state: sumState(DOUBLE),
    init: () => [0, 0n],
    add: (acc, [value]) => change(acc, value, 1),
    retract: (acc, [value]) => change(acc, value, -1),
    merge: (a, b) => {
      const [x, n] = a as readonly [number, bigint];
      const [y, m] = b as readonly [number, bigint];
      return [x + y, n + m];
    },
    result: acc => {
      const [sum, n] = acc as readonly [number, bigint];
      return result(sum, n);
    },
    retracting,
  };
}

function doubleSum(empty: EmptySum): AggregateFold {
  const orEmpty = (sum: number, n: bigint) => (n === 0n && empty === 'null' ? null : sum);
  return doubleFold(
    orEmpty,
    exactDoubleFold((sum, n) => orEmpty(toDouble(exactSumOf(sum)), n)),
  );
}

const fromInt = (value: Value): bigint => BigInt(value as number);
const fromBigint = (value: Value): bigint => value as bigint;
const asBigint = (sum: bigint): bigint | null => (isBigint(sum) ? sum : null);
const asDecimal = (sum: bigint): bigint | null => (fitsPrecision(sum, MAX_PRECISION) ? sum : null);

function scaleOf(type: SqlType | undefined): number {
  return type?.kind === 'DECIMAL' ? type.scale : 0;
}

const doubleOverload = (empty: EmptySum): AggregateOverload => ({
  signature: '(DOUBLE) -> DOUBLE',
  make: () => doubleSum(empty),
});

export const SUM: AggregateFunction = {
  kind: 'aggregate',
  name: 'SUM',
  category: 'aggregate',
  description: 'The sum of all values that are not NULL, in the type of the argument; 0 when there is none.',
  overloads: [
    {
      signature: '(INT) -> INT',
      make: () =>
        exactNumberSum({
          empty: 'zero',
          state: BIGINT,
          toBigint: fromInt,
          toResult: sum => (isInt(Number(sum)) ? Number(sum) : null),
        }),
    },
    {
      signature: '(BIGINT) -> BIGINT',
      make: () =>
        exactNumberSum({ empty: 'zero', state: decimal(38, 0), toBigint: fromBigint, toResult: asBigint }),
    },
    {
      signature: '(DECIMAL) -> DECIMAL',
      make: ({ returns }) =>
        exactNumberSum({
          empty: 'zero',
          state: decimal(38, scaleOf(returns)),
          toBigint: fromBigint,
          toResult: sum => (returns.kind === 'DECIMAL' && fitsPrecision(sum, returns.precision) ? sum : null),
        }),
    },
    doubleOverload('zero'),
  ],
};

export const SUM_OR_NULL: AggregateFunction = {
  kind: 'aggregate',
  name: 'SUM_OR_NULL',
  category: 'aggregate',
  description:
    'The sum of all values that are not NULL in a wider type, as SQL has it; NULL when there is none.',
  overloads: [
    {
      signature: '(INT) -> BIGINT',
      make: () => exactNumberSum({ empty: 'null', state: BIGINT, toBigint: fromInt, toResult: asBigint }),
    },
    {
      signature: '(BIGINT) -> DECIMAL',
      returns: () => decimal(38, 0),
      make: () =>
        exactNumberSum({ empty: 'null', state: decimal(38, 0), toBigint: fromBigint, toResult: asDecimal }),
    },
    {
      signature: '(DECIMAL) -> DECIMAL',
      returns: ([type]) => decimal(38, scaleOf(type)),
      make: ({ returns }) =>
        exactNumberSum({
          empty: 'null',
          state: decimal(38, scaleOf(returns)),
          toBigint: fromBigint,
          toResult: asDecimal,
        }),
    },
    doubleOverload('null'),
  ],
};

/** Sums the elements of arrays by a fold over single values. */
function overElements(fold: AggregateFold): AggregateFold {
  const each =
    (step: AggregateFold['add']): AggregateFold['add'] =>
    (acc, [list], ctx) => {
      let sum = acc;
      for (const item of (list ?? []) as readonly (Value | null)[]) sum = step(sum, [item], ctx);
      return sum;
    };
  const { retract, retracting, add, ...rest } = fold;
  return {
    ...rest,
    add: each(add),
    ...(retract && { retract: each(retract) }),
    ...(retracting && { retracting: overElements(retracting) }),
  };
}

export const SUM_LIST: AggregateFunction = {
  kind: 'aggregate',
  name: 'SUM_LIST',
  category: 'aggregate',
  description: 'The sum of all elements of all arrays that are not NULL; 0 when there is none.',
  overloads: SUM.overloads
    .filter(o => !o.signature.includes('DECIMAL'))
    .map(o => ({
      signature: o.signature.replace(/\((\w+)\)/, '(ARRAY<$1>)'),
      make: (types, constants) => overElements(o.make(types, constants)),
    })),
};
