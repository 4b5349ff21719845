import type { SqlType } from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import type { AggregateFold, EvalContext } from '../../../src/expr/functions.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import type { ArgumentType } from '../../../src/expr/registry.ts';
import { decodeValue, encodeValue } from '../../../src/expr/value-codec.ts';

export type Args = readonly (Value | null)[];

/** The fold of an aggregate over arguments of these types, resolved as a query would. */
export function foldOf(
  name: string,
  args: readonly SqlType[],
  constants: readonly Value[] = [],
): AggregateFold {
  const entry = standardLibrary.find(name);
  if (entry?.kind !== 'aggregate') throw new Error(`no aggregate ${name}`);
  const types: ArgumentType[] = [
    ...args.map((type): ArgumentType => ({ kind: 'value', type })),
    ...constants.map(
      (c): ArgumentType => ({
        kind: 'value',
        type: constantType(c),
      }),
    ),
  ];
  const resolved = standardLibrary.resolveAggregate(entry, types);
  if (!resolved.ok) throw new Error(resolved.reason);
  const { args: castTo, returns } = resolved.call;
  return standardLibrary.aggregate(name, castTo, returns, constants);
}

function constantType(value: Value): SqlType {
  if (typeof value === 'boolean') return { kind: 'BOOLEAN' };
  if (typeof value === 'string') return { kind: 'STRING' };
  return { kind: Number.isInteger(value) ? 'INT' : 'DOUBLE' };
}

/** The return type of an aggregate over these types, or the reason why it takes none. */
export function returnsOf(name: string, args: readonly SqlType[]): SqlType | string {
  const entry = standardLibrary.find(name);
  if (entry?.kind !== 'aggregate') throw new Error(`no aggregate ${name}`);
  const resolved = standardLibrary.resolveAggregate(
    entry,
    args.map(type => ({ kind: 'value', type })),
  );
  return resolved.ok ? resolved.call.returns : resolved.reason;
}

export function at(seq: number, failures: string[] = []): EvalContext {
  return {
    now: 0,
    rowtime: 0,
    seq,
    zone: 'UTC',
    fail(message) {
      failures.push(message);
      return null;
    },
  };
}

/** The accumulator after these rows, stored and read back between any two of them. */
export function accumulate(fold: AggregateFold, rows: readonly Args[], firstSeq = 0): Value | null {
  let acc = stored(fold, fold.init());
  for (const [i, args] of rows.entries()) acc = stored(fold, fold.add(acc, args, at(firstSeq + i)));
  return acc;
}

export function stored(fold: AggregateFold, acc: Value | null): Value | null {
  return decodeValue(fold.state, encodeValue(fold.state, acc));
}

/** The result after each of these rows. */
export function results(fold: AggregateFold, rows: readonly Args[]): (Value | null)[] {
  let acc = fold.init();
  return rows.map((args, i) => {
    acc = fold.add(acc, args, at(i));
    return fold.result(acc);
  });
}

/** The result over these rows of one argument. */
export function over(fold: AggregateFold, values: readonly (Value | null)[]): Value | null {
  return fold.result(
    accumulate(
      fold,
      values.map(v => [v]),
    ),
  );
}
