import { assert } from '../../core/assert.ts';
import type { Change } from '../../core/change.ts';
import type { Value } from '../../core/value.ts';
import type { AggregateFold, EvalContext } from '../../expr/functions.ts';
import { rowKey } from '../../expr/value-key.ts';
import type { AggregateCall, AggregateNode } from '../../plan/plan.ts';
import type { CompiledExpr, FoldOptions } from './fold-node.ts';

/** The accumulators of one group, in the order of the node's aggregates. */
export interface Accumulators {
  readonly values: (Value | null)[];
  /** per DISTINCT aggregate: how often each argument row is in the group */
  readonly seen: readonly (Map<string, number> | null)[];
  /** rows in the group */
  rows: number;
}

interface Aggregate {
  readonly call: AggregateCall;
  readonly fold: AggregateFold;
  readonly args: readonly CompiledExpr[];
  readonly filter: CompiledExpr | null;
  readonly argsText: (args: readonly (Value | null)[]) => string;
}

/** Runs the aggregates of a node over the rows of a group. */
export class AggregateRunner {
  readonly #aggregates: readonly Aggregate[];

  /** `retracting`: rows are taken away too */
  constructor(node: AggregateNode, options: FoldOptions, retracting: boolean) {
    this.#aggregates = node.aggregates.map(call => {
      const types = call.args.map(arg => arg.type);
      const plain = options.functions.aggregate(call.fn, types, call.type, call.constants);
      return {
        call,
        fold: retracting ? (plain.retracting ?? plain) : plain,
        args: call.args.map(options.compile),
        filter: call.filter === null ? null : options.compile(call.filter),
        argsText: rowKey(types),
      };
    });
  }

  init(): Accumulators {
    return {
      values: this.#aggregates.map(a => a.fold.init()),
      seen: this.#aggregates.map(a => (a.call.distinct ? new Map<string, number>() : null)),
      rows: 0,
    };
  }

  add(to: Accumulators, change: Change, ctx: EvalContext): void {
    to.rows++;
    this.#each(to, change, ctx, (aggregate, i, args) => {
      const seen = to.seen[i];
      if (seen && count(seen, aggregate.argsText(args), 1) !== 1) return;
      to.values[i] = aggregate.fold.add(to.values[i] ?? null, args, ctx);
    });
  }

  retract(from: Accumulators, change: Change, ctx: EvalContext): void {
    from.rows--;
    this.#each(from, change, ctx, (aggregate, i, args) => {
      const seen = from.seen[i];
      if (seen && count(seen, aggregate.argsText(args), -1) !== 0) return;
      const { retract } = aggregate.fold;
      assert(retract, `${aggregate.call.fn} cannot take rows away`);
      from.values[i] = retract(from.values[i] ?? null, args, ctx);
    });
  }

  /** Both groups as one; `a` holds the earlier rows. Neither may be used afterwards. */
  merge(a: Accumulators, b: Accumulators): Accumulators {
    return {
      rows: a.rows + b.rows,
      seen: a.seen.map((_, i) => {
        assert(this.#aggregates[i]?.call.distinct !== true, 'DISTINCT aggregates over sessions cannot merge');
        return null;
      }),
      values: this.#aggregates.map(({ fold, call }, i) => {
        assert(fold.merge, `${call.fn} cannot merge sessions`);
        return fold.merge(a.values[i] ?? null, b.values[i] ?? null);
      }),
    };
  }

  results(of: Accumulators): (Value | null)[] {
    return this.#aggregates.map(({ fold }, i) => fold.result(of.values[i] ?? null));
  }

  #each(
    accumulators: Accumulators,
    change: Change,
    ctx: EvalContext,
    apply: (aggregate: Aggregate, i: number, args: readonly (Value | null)[]) => void,
  ): void {
    this.#aggregates.forEach((aggregate, i) => {
      if (aggregate.filter !== null && aggregate.filter(change.row, ctx) !== true) return;
      const args = aggregate.args.map(arg => arg(change.row, ctx));
      if (accumulators.seen[i] && args.includes(null)) return;
      apply(aggregate, i, args);
    });
  }
}

function count(seen: Map<string, number>, key: string, by: 1 | -1): number {
  const now = (seen.get(key) ?? 0) + by;
  if (now === 0) seen.delete(key);
  else seen.set(key, now);
  return now;
}
