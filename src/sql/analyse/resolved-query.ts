import type { Schema } from '../../core/schema.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Frame } from '../../expr/window-function.ts';
import type {
  AggregateCall,
  JoinNode,
  JoinType,
  RelationKind,
  SemiJoinType,
  SourceSpec,
  WindowSpec,
} from '../../plan/plan.ts';
import type { Relation } from '../catalog.ts';

/**
 * A query with every name and type decided, in the order in which it works: input, WHERE, clock, PARTITION BY, table
 * functions, GROUP BY, HAVING, output, DISTINCT. The expressions of each stage read the columns of the stage before.
 */
export interface ResolvedQuery {
  /** the relation that it reads; of a join the rows that come out of it, called after its first relation */
  readonly input: Relation;
  /** where the input rows come from; null: `input` alone */
  readonly side: JoinSide | null;
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
  /** rows without a key that come and go: equal ones are numbered in the last, hidden column */
  readonly copies: boolean;
  /** rows that come and go, never two of one key */
  readonly keyed: boolean;
  /** EMIT FINAL */
  readonly final: { readonly closeAfter: number | null } | null;
  /** kind of the changes that it gives */
  readonly changes: RelationKind;
  readonly window: SourceSpec['window'];
}

/**
 * One side of a join. A relation's row is followed by its ROWPARTITION, ROWOFFSET and ROWTIME: `schema` has them.
 */
export type JoinSide =
  | { readonly kind: 'relation'; readonly relation: Relation; readonly schema: Schema }
  | { readonly kind: 'join'; readonly join: ResolvedJoin; readonly schema: Schema }
  | { readonly kind: 'filter'; readonly input: JoinSide; readonly predicate: Expr; readonly schema: Schema }
  | RankedSide
  | OverSide
  | ExplodedSide;

/**
 * Rows in order, partition by partition. `schema`: the input's columns, partition and order, and the row's number (from 1).
 */
export interface RankedSide {
  readonly kind: 'ranked';
  readonly input: JoinSide;
  readonly partition: readonly Expr[];
  readonly order: readonly OrderedExpr[];
  readonly from: number;
  readonly to: number | null;
  readonly schema: Schema;
}

/**
 * A row for each that a table function makes of the input's row. `schema`: the input's, and those of a relation of one
 * column, or with `ordinality` of two.
 */
export interface ExplodedSide {
  readonly kind: 'exploded';
  readonly input: JoinSide;
  readonly fn: string;
  readonly args: readonly Expr[];
  readonly type: SqlType;
  readonly ordinality: boolean;
  readonly schema: Schema;
}

/** Rows with the results of window functions. `schema`: the input's columns, what they read, and one per function. */
export interface OverSide {
  readonly kind: 'over';
  readonly input: JoinSide;
  readonly partition: readonly Expr[];
  readonly order: readonly OrderedExpr[];
  readonly functions: readonly WindowFunctionCall[];
  readonly schema: Schema;
}

/** A window function, its arguments over the rows that are put in order. */
export interface WindowFunctionCall {
  readonly fn: string;
  readonly args: readonly Expr[];
  readonly constants: readonly number[];
  readonly filter: Expr | null;
  readonly frame: Frame | null;
  readonly type: SqlType;
}

export interface OrderedExpr {
  readonly expr: Expr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** Columns of `schema`: the left side's, the right side's, then those of the keys (not of a foreign-key join). */
export interface ResolvedJoin {
  readonly node: JoinNode['node'];
  readonly type: JoinType | SemiJoinType;
  readonly left: JoinSide;
  readonly right: JoinSide;
  readonly leftKeys: readonly Expr[];
  readonly rightKeys: readonly Expr[];
  readonly within: JoinWindow | null;
  /** of an equi-join or semi-join: what else must be true of the joined row */
  readonly condition: Expr | null;
  /** of a foreign-key join of complete SQL: rows with a NULL in their own key stay */
  readonly nullKeys?: 'keep' | undefined;
  readonly schema: Schema;
}

/** WITHIN of two streams, in ms. */
export interface JoinWindow {
  readonly before: number;
  readonly after: number;
  readonly grace: number;
  readonly eager: boolean;
}

/** What a subquery, a common table or a set operation is made of. */
export type DerivedRows = { readonly kind: 'query'; readonly query: ResolvedQuery } | ResolvedSetOperation;

/** Rows of both sides, as UNION, INTERSECT or EXCEPT brings them together. */
export interface ResolvedSetOperation {
  readonly kind: 'setOperation';
  readonly op: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly left: SetSide;
  readonly right: SetSide;
  /** without a key for ALL, else all columns are the key */
  readonly schema: Schema;
  readonly changes: RelationKind;
}

/** One side of a set operation: `columns` over its rows have the types of the result. */
export interface SetSide {
  readonly rows: DerivedRows;
  readonly columns: readonly Expr[];
}

/** The relations of the catalog that a query reads, in order of mention, each once. */
export function relationsRead(query: ResolvedQuery): readonly Relation[] {
  const found = new Set<Relation>();
  const seen = new Set<DerivedRows>();
  const ofQuery = ({ side, input }: ResolvedQuery): void => {
    if (side) ofSide(side);
    else ofRelation(input);
  };
  const ofSide = (side: JoinSide): void => {
    if (side.kind === 'relation') ofRelation(side.relation);
    else if (side.kind !== 'join') ofSide(side.input);
    else for (const each of [side.join.left, side.join.right]) ofSide(each);
  };
  const ofRelation = (relation: Relation): void => {
    if (relation.derived) ofRows(relation.derived);
    else found.add(relation);
  };
  const ofRows = (rows: DerivedRows): void => {
    if (seen.has(rows)) return;
    seen.add(rows);
    if (rows.kind === 'query') ofQuery(rows.query);
    else for (const side of [rows.left, rows.right]) ofRows(side.rows);
  };
  ofQuery(query);
  return [...found];
}

export interface ResolvedGroup {
  readonly keys: readonly Expr[];
  readonly aggregates: readonly AggregateCall[];
  readonly window: WindowSpec | null;
  readonly nullKeys: 'drop' | 'group';
  readonly emptyGroups: 'keep' | 'delete';
  readonly schema: Schema;
}
