import type { Vec } from '../core/batch.ts';
import type { Expr } from './expr.ts';
import { PredicateSource } from './generate/predicate-source.ts';

/** The truth of a predicate for physical row i of the columns it was bound to. */
export type RowTest = (i: number) => boolean;

/** Binds a predicate to the columns of a batch; null when these columns are not stored as expected. */
export type GeneratedPredicate = (cols: readonly Vec[]) => RowTest | null;

/**
 * The second back end of expressions: a predicate as one generated function over columns, without rows or values in
 * between. It covers what cannot fail: comparisons of columns with literals, IN, IS NULL, AND, OR, NOT, CASE. Null when
 * the expression holds anything else, or the host allows no code from text: then closures run it. Wherever it gives an
 * answer it is the closure's.
 *
 * Nothing of the user's text reaches the source: names are positions, literals are bound constants.
 */
export function generatePredicate(expr: Expr): GeneratedPredicate | null {
  const source = new PredicateSource();
  const truth = source.truth(expr);
  if (truth === null) return null;
  const { columns, constants, statements } = source;
  const text = `"use strict";
${columns.map(({ index, kind }) => columnBinding(index, kind)).join('\n')}
return i => {
${statements.join('\n')}
return ${truth} === 1;
};`;
  try {
    const bind = new Function('cols', 'k', text) as (cols: readonly Vec[], k: readonly unknown[]) => RowTest;
    return cols =>
      columns.every(({ index, kind }) => cols[index]?.t === kind) ? bind(cols, constants) : null;
  } catch {
    return null;
  }
}

function columnBinding(c: number, kind: Vec['t']): string {
  const col = `cols[${c}]`;
  switch (kind) {
    case 'i64':
      return `const n${c} = ${col}.nulls, w${c} = new Int32Array(${col}.v.buffer, ${col}.v.byteOffset, ${col}.v.length * 2);`;
    case 'val':
      return `const v${c} = ${col}.v;`;
    case 'str':
      return `const n${c} = ${col}.nulls, v${c} = ${col}.v, p${c} = ${col}.pool;`;
    default:
      return `const n${c} = ${col}.nulls, v${c} = ${col}.v;`;
  }
}
