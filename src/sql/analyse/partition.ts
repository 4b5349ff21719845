import type { Column, Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import { BIGINT, INT, type SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import { exprKey, mapChildren } from './expr-tree.ts';
import type { TableFunctionSink } from './expression.ts';
import { EXPLODE_BASE } from './group.ts';

/** Collects the table functions of a select list; their results follow the input columns. */
export class Explode implements TableFunctionSink {
  readonly calls: { fn: string; args: readonly Expr[]; type: SqlType }[] = [];
  readonly spans: Span[] = [];

  add(call: { fn: string; args: readonly Expr[]; type: SqlType }, span: Span): Expr {
    const index = this.calls.length;
    this.calls.push(call);
    this.spans.push(span);
    return { node: 'column', type: call.type, index: EXPLODE_BASE + index, name: call.fn };
  }
}

/** Where the input's columns stand when the select list is computed. */
export interface InputLayout {
  /** number of columns before the results of table functions */
  readonly columns: number;
  /** PARTITION BY moved them: by key of the expression, and by old position */
  readonly map: {
    readonly keys: ReadonlyMap<string, number>;
    readonly moved: ReadonlyMap<number, number>;
  } | null;
  readonly rest?: readonly number[];
  readonly schema?: Schema;
}

/**
 * The row after PARTITION BY: the new key, then the input's values, then its old key. A column that is itself the new key
 * is moved, not copied.
 */
export function partitionLayout(keys: readonly Expr[], input: Schema, pseudo: boolean): InputLayout {
  const all: Column[] = [...input.columns];
  if (pseudo) all.push({ name: 'ROWPARTITION', type: INT }, { name: 'ROWOFFSET', type: BIGINT });
  const moved = new Set(keys.flatMap(k => (k.node === 'column' ? [k.index] : [])));
  const order = [...all.map((_, i) => i).filter(i => !input.key.includes(i)), ...input.key];
  const rest = order.filter(i => !moved.has(i));
  const columns: Column[] = [
    ...keys.map((key, i) => ({
      name: key.node === 'column' || key.node === 'field' ? key.name : `KSQL_COL_${i}`,
      type: key.type,
    })),
    ...rest.map(i => all[i] ?? { name: '', type: INT }),
  ];
  return {
    columns: columns.length,
    map: {
      keys: new Map(keys.map((key, i) => [exprKey(key), i])),
      moved: new Map(rest.map((old, i) => [old, keys.length + i])),
    },
    rest,
    schema: { columns, key: keys.map((_, i) => i), windowed: false },
  };
}

/** An expression over the input row as one over the row that the select list reads. */
export function overInput(expr: Expr, layout: InputLayout): Expr {
  const at = layout.map?.keys.get(exprKey(expr));
  if (at !== undefined) {
    const name = expr.node === 'column' || expr.node === 'field' ? expr.name : `KSQL_COL_${at}`;
    return { node: 'column', type: expr.type, index: at, name };
  }
  if (expr.node === 'column') {
    if (expr.index >= EXPLODE_BASE) return { ...expr, index: layout.columns + expr.index - EXPLODE_BASE };
    return { ...expr, index: layout.map?.moved.get(expr.index) ?? expr.index };
  }
  return mapChildren(expr, part => overInput(part, layout));
}
