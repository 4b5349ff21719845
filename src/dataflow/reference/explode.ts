import type { ExplodeNode } from '../../plan/plan.ts';
import { contextOf, type FoldNode, type FoldOptions } from './fold-node.ts';

/**
 * Table functions side by side: as many rows as the longest result, the shorter ones padded with NULL. A record without
 * value gives none.
 */
export function explode(node: ExplodeNode, input: FoldNode, options: FoldOptions): FoldNode {
  const functions = node.functions.map(f => ({
    args: f.args.map(options.compile),
    run: options.functions.table(
      f.fn,
      f.args.map(arg => arg.type),
      f.type,
    ),
  }));
  return {
    deadline: () => input.deadline(),
    step(moment) {
      return input.step(moment).flatMap(change => {
        if (change.noValue) return [];
        const ctx = contextOf(change, moment, options.zone);
        const results = functions.map(({ args, run }) =>
          run(
            args.map(arg => arg(change.row, ctx)),
            ctx,
          ),
        );
        const rows = Math.max(0, ...results.map(r => r.length));
        return Array.from({ length: rows }, (_, i) => ({
          ...change,
          row: [
            ...change.row,
            ...results.map(r => r[i] ?? null),
            ...(node.ordinality ? [BigInt(i + 1)] : []),
          ],
        }));
      });
    },
  };
}
