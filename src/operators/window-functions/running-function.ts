import { assert } from '../../core/assert.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import { isNeighbour, isPick, isRank, type WindowFunction } from '../../expr/window-function.ts';
import { FramedAggregate } from './framed-aggregate.ts';
import type { PartitionFunction } from './partition-function.ts';
import { Neighbours, Picks } from './picks.ts';
import { Ranks } from './ranks.ts';

/** Makes a window function for a partition; `known` reads its results of rows that no change has touched. */
export type MakeFunction = (known: (at: number) => number) => PartitionFunction;

/** `types`: of the columns of the rows. */
export function runningFunction(
  { fn, args, constants, filter, frame, type }: WindowFunction,
  types: readonly SqlType[],
  functions: FunctionRegistry,
): MakeFunction {
  const n = Number(constants[0] ?? 1);
  const column = args[0] ?? -1;
  if (isRank(fn)) return known => new Ranks(fn, n, known);
  if (isNeighbour(fn)) {
    const otherwise = args[1] ?? null;
    return () => new Neighbours({ fn, away: n, column, otherwise });
  }
  assert(frame, `${fn} has a frame`);
  if (isPick(fn)) return () => new Picks({ fn, column, nth: n, frame });
  const argTypes = args.map(i => types[i] ?? type);
  const plain = functions.aggregate(fn, argTypes, type, constants);
  const fold = plain.retracting ?? plain;
  return () => new FramedAggregate({ fold, args, filter, frame });
}
