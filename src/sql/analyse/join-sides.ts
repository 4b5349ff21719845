import type { Schema } from '../../core/schema.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Relation } from '../catalog.ts';
import { columnsOf, renumber } from './expr-tree.ts';
import type { JoinSide } from './resolved-query.ts';
import { BEHIND_COLUMNS, type Scope } from './scope.ts';

/** The relations of FROM that one side of a join brings together, and where each one's columns begin in its row. */
export interface PlacedRelations {
  readonly relations: readonly number[];
  readonly offsets: readonly number[];
}

/** One relation, its row followed by ROWPARTITION, ROWOFFSET and ROWTIME. */
export function relationSide(relation: Relation): JoinSide {
  const schema: Schema = { ...relation.schema, columns: [...relation.schema.columns, ...BEHIND_COLUMNS] };
  return { kind: 'relation', relation, schema };
}

export function sideBySide(
  left: PlacedRelations,
  right: PlacedRelations,
  leftWidth: number,
): PlacedRelations {
  return {
    relations: [...left.relations, ...right.relations],
    offsets: [...left.offsets, ...right.offsets.map(offset => leftWidth + offset)],
  };
}

/** An expression over the scope's numbering as one over the side's row. */
export function placed(expr: Expr, side: PlacedRelations, scope: Scope): Expr {
  return renumber(expr, index => {
    const at = relationAt(index, scope);
    const offset = side.offsets[side.relations.indexOf(at)] ?? 0;
    return offset + index - (scope.relations[at]?.offset ?? 0);
  });
}

/** The relations whose columns an expression over the scope's numbering reads. */
export function relationsIn(expr: Expr, scope: Scope): ReadonlySet<number> {
  return new Set([...columnsOf(expr)].map(index => relationAt(index, scope)));
}

function relationAt(index: number, scope: Scope): number {
  return scope.relations.findLastIndex(r => r.offset <= index);
}
