import type { Schema } from '../../core/schema.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { AggregateCall, RelationKind, SourceSpec, WindowSpec } from '../../plan/plan.ts';
import type { Relation } from '../catalog.ts';

/**
 * A query with every name and type decided, in the order in which it works: input, WHERE, clock, PARTITION BY, table
 * functions, GROUP BY, HAVING, output, DISTINCT. The expressions of each stage read the columns of the stage before.
 */
export interface ResolvedQuery {
  readonly input: Relation;
  /** ROWPARTITION and ROWOFFSET follow the relation's columns in the input row */
  readonly pseudo: boolean;
  readonly where: Expr | null;
  readonly temporal: { readonly from: Expr | null; readonly until: Expr | null } | null;
  readonly rekey: {
    readonly keys: readonly Expr[];
    readonly rest: readonly number[];
    readonly schema: Schema;
  } | null;
  readonly explode: readonly {
    readonly fn: string;
    readonly args: readonly Expr[];
    readonly type: SqlType;
  }[];
  readonly group: ResolvedGroup | null;
  readonly having: Expr | null;
  readonly columns: readonly Expr[];
  readonly schema: Schema;
  readonly hidden: readonly number[];
  readonly distinct: boolean;
  /** EMIT FINAL */
  readonly final: { readonly closeAfter: number | null } | null;
  /** kind of the changes that it gives */
  readonly changes: RelationKind;
  readonly window: SourceSpec['window'];
}

export interface ResolvedGroup {
  readonly keys: readonly Expr[];
  readonly aggregates: readonly AggregateCall[];
  readonly window: WindowSpec | null;
  readonly nullKeys: 'drop' | 'group';
  readonly emptyGroups: 'keep' | 'delete';
  readonly schema: Schema;
}
