import type { Schema } from '../../core/schema.ts';
import type { Expr } from '../../expr/expr.ts';
import type { RekeyNode } from '../../plan/plan.ts';
import { readColumns } from './expr-columns.ts';
import { contextOf, type FoldNode, type FoldOptions } from './fold-node.ts';

/**
 * PARTITION BY: the key expressions in front of the remaining columns. Of a record without value, an expression over key
 * columns alone is computed as always; any other is NULL, as there is nothing to compute it from, and so are the remaining
 * columns: the record that the topic gets has no value that could hold an old key.
 */
export function rekey(node: RekeyNode, input: FoldNode, options: FoldOptions): FoldNode {
  const keys = node.keys.map(options.compile);
  const fromKey = node.keys.map(key => readsOnlyKey(key, node.input.schema));
  return {
    deadline: () => input.deadline(),
    step(moment) {
      return input.step(moment).map(change => {
        const ctx = contextOf(change, moment, options.zone);
        const key = keys.map((k, i) => (change.noValue && fromKey[i] !== true ? null : k(change.row, ctx)));
        return {
          ...change,
          row: [...key, ...node.rest.map(i => (change.noValue ? null : (change.row[i] ?? null)))],
        };
      });
    },
  };
}

function readsOnlyKey(expr: Expr, schema: Schema): boolean {
  return readColumns(expr).every(i => schema.key.includes(i));
}
