import type { Schema } from '../core/schema.ts';
import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import type { Expr } from '../expr/expr.ts';
import type { WindowFunction } from '../expr/window-function.ts';

/**
 * The logical plan: frozen, plain, serialisable data. The reference fold interprets it, the engine builds operators
 * from it; both must agree on every change (design, law 1 and 2). A new node kind fails to compile where a switch over
 * `node` does not handle it.
 *
 * Every node has an `id` by meaning, unique within its view and stable under edits elsewhere (`aggregate`, `filter.2`):
 * state is stored under it.
 */
export type PlanNode =
  | ScanNode
  | ReadNode
  | FilterNode
  | ProjectNode
  | ExplodeNode
  | RekeyNode
  | NormalizeNode
  | TemporalFilterNode
  | AggregateNode
  | EmitFinalNode
  | UnionNode
  | SetOperationNode
  | CopiesNode
  | KeyedNode
  | RankNode
  | OverNode
  | JoinNode;

export type JoinNode =
  | StreamStreamJoinNode
  | StreamTableJoinNode
  | TableTableJoinNode
  | ForeignKeyJoinNode
  | EquiJoinNode
  | SemiJoinNode;

interface NodeBase {
  readonly id: string;
  readonly schema: Schema;
}

/**
 * Records of a topic, decoded. A stream source gives ADD, a table source UPSERT / DELETE (kind `upsert`).
 * `schema.columns` are, in this order: the declared columns that the plan needs (all key columns are kept; found in
 * `source.columns` by exact name, in declared order), WINDOWSTART and WINDOWEND when `source.window` is set (they are the
 * last two of `schema.key`), then the pseudo columns.
 */
export interface ScanNode extends NodeBase {
  readonly node: 'scan';
  readonly source: SourceSpec;
  /** Pseudo columns that the query uses: ROWPARTITION INT, ROWOFFSET BIGINT. */
  readonly pseudo: readonly PseudoColumn[];
  /**
   * Set on the scan of a view's own topic (a declared stream that INSERT INTO writes): it gives only records that the
   * view did not write itself, and its changes are not written to the sink again.
   */
  readonly outside?: true | undefined;
}

export type PseudoColumn = 'ROWPARTITION' | 'ROWOFFSET';

/** The output of another view or derived stream of the catalog: all columns of its root, hidden ones too. */
export interface ReadNode extends NodeBase {
  readonly node: 'read';
  readonly view: string;
  readonly kind: RelationKind;
}

/** Keeps rows whose predicate is true. Over an upsert relation a row that fails becomes DELETE of its key. */
export interface FilterNode extends NodeBase {
  readonly node: 'filter';
  readonly input: PlanNode;
  readonly predicate: Expr;
}

/**
 * New columns from the input row. Over a windowed relation WINDOWSTART and WINDOWEND stay the last key columns.
 * Over upsert relations `schema.key` must be computed from the input's key alone.
 */
export interface ProjectNode extends NodeBase {
  readonly node: 'project';
  readonly input: PlanNode;
  readonly columns: readonly Expr[];
}

/**
 * Table functions: the input columns followed by one column per function; as many rows as the longest result, shorter
 * ones padded with NULL; none when all are empty.
 */
export interface ExplodeNode extends NodeBase {
  readonly node: 'explode';
  readonly input: PlanNode;
  readonly functions: readonly {
    readonly fn: string;
    readonly args: readonly Expr[];
    readonly type: SqlType;
  }[];
  /** one column more: the number of the row among those that are made of its row, from 1; BIGINT */
  readonly ordinality?: true | undefined;
}

/**
 * PARTITION BY: the key becomes these expressions; they are the first columns of `schema`, the input's columns follow
 * (each expression that is a plain column is moved, not copied: `rest` lists the input columns that follow).
 * A record without value is kept: an expression over key columns alone is computed as always, any other is NULL, and so
 * are the columns that follow.
 */
export interface RekeyNode extends NodeBase {
  readonly node: 'rekey';
  readonly input: PlanNode;
  readonly keys: readonly Expr[];
  readonly rest: readonly number[];
}

/** upsert -> retract: keeps the last row per key, gives RETRACT of the old and ADD of the new one. */
export interface NormalizeNode extends NodeBase {
  readonly node: 'normalize';
  readonly input: PlanNode;
}

/**
 * Rows that are visible only while the log's clock is in [from, until), both TIMESTAMP expressions over the row, either
 * may be absent; NULL of a present bound means never visible. Rows enter and leave by the clock alone.
 * `predicate` is the whole original condition, for display.
 */
export interface TemporalFilterNode extends NodeBase {
  readonly node: 'temporalFilter';
  readonly input: PlanNode;
  readonly from: Expr | null;
  readonly until: Expr | null;
}

/**
 * GROUP BY: output columns are the keys, then WINDOWSTART and WINDOWEND when windowed, then one column per aggregate.
 * Output kind: upsert by the whole key.
 * Input kind: append, or retract (then every aggregate must be able to retract).
 */
export interface AggregateNode extends NodeBase {
  readonly node: 'aggregate';
  readonly input: PlanNode;
  readonly keys: readonly Expr[];
  readonly aggregates: readonly AggregateCall[];
  readonly window: WindowSpec | null;
  /** a row with a NULL in its key: `drop` (strict; counted as `null_key`) or `group` (VIEW) */
  readonly nullKeys: 'drop' | 'group';
  /** a group without rows: `keep` (strict) or `delete` (VIEW). A global group (no keys) in VIEW has a row even when empty. */
  readonly emptyGroups: 'keep' | 'delete';
}

export interface AggregateCall {
  readonly fn: string;
  readonly args: readonly Expr[];
  readonly constants: readonly (Value | null)[];
  readonly type: SqlType;
  /** COUNT(DISTINCT x) and the like: add each distinct non-null argument row once */
  readonly distinct: boolean;
  readonly filter: Expr | null;
}

export interface WindowSpec {
  readonly type: 'tumbling' | 'hopping' | 'session';
  /** ms; for a session the inactivity gap */
  readonly size: number;
  /** ms; equals size for tumbling */
  readonly advance: number;
  /** ms; default 24 h less the size, at least 0 */
  readonly grace: number;
  /** ms that rows of closed windows stay; null: for ever */
  readonly retention: number | null;
}

/**
 * EMIT FINAL: each window once, when it closes (windowEnd + grace <= lane time), ordered by (end, key), at the sequence
 * that closes it. The input is always the aggregate itself (HAVING stands above); changes are UPSERTs, rows that were
 * deleted before the close do not appear. `closeAfter`: closes on the log's clock too, this many ms after windowEnd + grace, when input is idle.
 */
export interface EmitFinalNode extends NodeBase {
  readonly node: 'emitFinal';
  readonly input: PlanNode;
  readonly window: WindowSpec;
  readonly closeAfter: number | null;
}

/** All changes of all inputs by (sequence, input): a derived stream fed by several INSERT INTO, and UNION ALL. */
export interface UnionNode extends NodeBase {
  readonly node: 'union';
  readonly inputs: readonly PlanNode[];
}

/**
 * INTERSECT and EXCEPT of two multisets (append or retract) with columns of the same types, row by row; NULLs are equal.
 * A row that stands l times in the left and r times in the right input stands in the output
 *
 *     intersect: once where l > 0 and r > 0     intersect all: min(l, r) times
 *     except: once where l > 0 and r = 0        except all: max(l - r, 0) times
 *
 * `all`: the output is retract, without a key; else upsert, all columns its key. Changes are taken one by one, by
 * (sequence, input, index), left before right; RETRACT of a row that the input does not have is nothing. A change after
 * which the row stands there once more gives ADD (UPSERT), once less RETRACT (DELETE). ROWTIME of the row is that of the
 * change with which it came, until it stands there no more.
 */
export interface SetOperationNode extends NodeBase {
  readonly node: 'setOperation';
  readonly op: 'intersect' | 'except';
  readonly all: boolean;
  readonly left: PlanNode;
  readonly right: PlanNode;
}

/**
 * What all joins share. Rows of both inputs meet where `leftKeys` over the left row equal `rightKeys` over the right row,
 * one by one, of one type each; a NULL among them equals nothing.
 *
 * Columns of the output: all of the left input, all of the right input, then (not for a foreign-key join, nor an equi-join)
 * one column per pair of keys with the value on which the rows met. A side without a row gives NULLs in its columns.
 * Windowed inputs (both are, or neither is) have WINDOWSTART and WINDOWEND as the last two pairs of keys.
 */
interface JoinBase extends NodeBase {
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly leftKeys: readonly Expr[];
  readonly rightKeys: readonly Expr[];
}

/**
 * Rows of two streams with equal keys whose event times are near: right time in [left time - before, left time + after].
 * Inputs and output are append. The output's key is the pairs' columns.
 *
 * Changes are taken one by one, by (sequence, input, index), left before right. A change
 *  1. without value, or with a NULL in its key, is dropped (ledger `null_key`), and moves no time;
 *  2. moves the lane time of its side, and the joint lane time (the largest of both);
 *  3. not eager: gives the null rows that are due, see below, before its own rows;
 *  4. gives one ADD per row that the other side keeps and that is near, in the order of (that row's event time, arrival);
 *     both rows count as matched. ROWTIME is the larger event time of both;
 *  5. without any match, where its side is preserved (left: `left`, `full`; right: `right`, `full`): eager, its null row at
 *     once; not eager, its null row at once if that is due already, else the row waits;
 *  6. is kept while its time > its own side's lane time - (before + after + grace). What is too old at once is not
 *     kept (ledger `late`), though it was matched; nor does it wait: unmatched, it gives its null row at once.
 * A null row is the row with NULLs for the other side, with its own event time. Not eager, it is due when the joint lane
 * time > its time + reach + grace, where reach is `after` for a left and `before` for a right row; several are given in
 * the order of (event time, arrival). A row that ever met another never gives one.
 * The clock plays no part: deadline is null.
 */
export interface StreamStreamJoinNode extends JoinBase {
  readonly node: 'streamStreamJoin';
  readonly type: JoinType;
  /** ms */
  readonly before: number;
  readonly after: number;
  /** ms; without GRACE PERIOD 24 h less before and after, at least 0 */
  readonly grace: number;
  /** no GRACE PERIOD was written: unmatched rows give their null row at once, a later match adds its row, both stay */
  readonly eager: boolean;
}

export type JoinType = 'inner' | 'left' | 'right' | 'full';

/**
 * Each row of a stream with the row that a table has for its key at that moment. Left is append, right upsert with
 * `rightKeys` exactly its key columns, in their order; the output is append, its key the pairs' columns.
 *
 * Within one sequence all changes of the table come first; they give nothing themselves. A row of the stream without
 * value, or with a NULL in its key, is dropped (ledger `null_key`). Without a row of the table: inner nothing, left NULLs.
 * ROWTIME is the stream row's: the table only looks up.
 */
export interface StreamTableJoinNode extends JoinBase {
  readonly node: 'streamTableJoin';
  readonly type: 'inner' | 'left';
}

/**
 * Two tables by their keys: inputs are upsert, `leftKeys` and `rightKeys` exactly their key columns, in their order; the
 * output is upsert by the pairs' columns.
 *
 * Each side keeps its row per key. Within one sequence all changes of both sides are taken, left before right; then every
 * key that was touched gives one change, in order of first touch: UPSERT of the joined row where `type` has one (inner:
 * both rows; left: the left; right: the right; full: any), DELETE where it had one before the sequence and has none now,
 * else nothing. ROWTIME is the largest of the event times of the key's changes in this sequence and of the rows that both
 * sides now have. A DELETE carries the pairs' columns only. A NULL in the key: dropped (ledger `null_key`).
 */
export interface TableTableJoinNode extends JoinBase {
  readonly node: 'tableTableJoin';
  readonly type: JoinType;
}

/**
 * Each row of a table with the row of another table that it points to. Both inputs are upsert; `leftKeys` are any
 * expressions over the left row, `rightKeys` exactly the right key columns, in their order. The output is upsert by the
 * left key's columns; it has no columns of its own for the pairs.
 *
 * Within one sequence the left changes are taken first, then the right ones. A left change touches its own key; a right
 * change touches the keys of all left rows (as they are by then) that point to it, in order of the left key (NULL last).
 * Then every touched left key gives one change, in order of first touch: UPSERT of the joined row (inner: both rows are
 * there; left: the left row is there, NULLs for a missing right row or a NULL among `leftKeys`), DELETE where it had one
 * before the sequence and has none now, else nothing. ROWTIME is the largest of the event times of the changes that
 * touched the key in this sequence and of the rows that both sides now have.
 * A NULL in the left table's own key: dropped (ledger `null_key`); in complete SQL a key like any other (`nullKeys: keep`).
 */
export interface ForeignKeyJoinNode extends JoinBase {
  readonly node: 'foreignKeyJoin';
  readonly type: 'inner' | 'left';
  readonly nullKeys?: 'keep' | undefined;
}

/**
 * The joins of complete SQL: rows of two multisets (append or retract) with equal keys, for which `condition` over the
 * joined row is true. No columns for the pairs, no key. Append when both inputs are and `type` is inner, else retract.
 *
 * Changes are taken one by one, by (sequence, input, index), left before right; every row of both sides is kept. A NULL
 * among its keys meets nothing; a stream's record without value is a row of NULLs. A null row is the row with NULLs for
 * the other side, with its own event time; a row of a preserved side (left: `left`, `full`; right: `right`, `full`) has it
 * while it meets no row. ROWTIME of a joined row is the larger event time of both.
 * - ADD: for each row that it meets, in the order of their arrival: RETRACT of that row's null row, if it had one, then
 *   ADD of the joined row; where it meets none, ADD of its own null row.
 * - RETRACT takes away the last arrived equal row (ledger entries of its expressions are not made again; of an unknown
 *   row: nothing): for each row that it met, in the order of their arrival: RETRACT of the joined row, then ADD of that
 *   row's null row, if it meets none now; where it met none, RETRACT of its own null row.
 */
export interface EquiJoinNode extends JoinBase {
  readonly node: 'equiJoin';
  readonly type: JoinType;
  readonly condition: Expr | null;
}

/**
 * Retract to upsert, for rows that have no key: equal rows are numbered from 1. The output's columns are the input's and
 * the number (INT), all of them its key. ADD of a row that is there n times gives UPSERT of number n + 1, RETRACT gives
 * DELETE of number n; of a row that is not there, nothing.
 */
export interface CopiesNode extends NodeBase {
  readonly node: 'copies';
  readonly input: PlanNode;
}

/**
 * Rows of the left multiset by whether they meet any row of the right one (both append or retract): equal keys, and
 * `condition` over the left row followed by the right row is true. The output has the left columns and the left key; `mark`
 * adds a BOOLEAN.
 *
 *     semi: the rows that meet some     anti: those that meet none     mark: all, and whether they meet some
 *
 * Append when both inputs are and `type` is semi, else retract. Changes are taken one by one, by (sequence, input, index),
 * left before right; ROWTIME of all output is the left row's. A NULL among the keys meets nothing.
 * - A left ADD gives its row if it is to be seen; a left RETRACT takes away the last arrived equal row (of an unknown row:
 *   nothing) and gives RETRACT of what was seen of it.
 * - A right change gives something for the left rows that now meet their first, or have lost their last row, in order of
 *   their arrival: semi and anti ADD or RETRACT, mark RETRACT of the row as it was, then ADD of the row as it is.
 * Ledger entries of expressions are not made again when a row is taken away.
 */
export interface SemiJoinNode extends JoinBase {
  readonly node: 'semiJoin';
  readonly type: SemiJoinType;
  readonly condition: Expr | null;
}

export type SemiJoinType = 'semi' | 'anti' | 'mark';

/**
 * The rows of each partition in order (append or retract): those with `from` <= position < `to`, counted from 0. Rows that
 * the order does not tell apart stand in the order of their arrival. Partition and order are columns of the input; NULL is a
 * partition like any other. The output has the input's columns and key; `numbered` adds the position, counted from 1.
 *
 * Changes are taken one by one; a RETRACT takes away the last arrived equal row (of an unknown row: nothing). Each change
 * gives RETRACT of the rows that are seen no more, in order, then ADD of those that are seen now; numbered, a row whose
 * number changes is given so too. ROWTIME is the row's own.
 */
export interface RankNode extends NodeBase {
  readonly node: 'rank';
  readonly input: PlanNode;
  readonly partition: readonly number[];
  readonly order: readonly OrderColumn[];
  readonly from: number;
  /** null: all rows from `from` on */
  readonly to: number | null;
  readonly numbered: boolean;
}

export interface OrderColumn {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/**
 * Window functions: the rows of each partition in order, as a {@link RankNode} has them, all of them seen. The output has the
 * input's columns and key, then one column per function. Each change gives RETRACT of the rows that go or whose results
 * change, in order, then ADD of those that come or whose results have changed. What cannot be computed is NULL.
 */
export interface OverNode extends NodeBase {
  readonly node: 'over';
  readonly input: PlanNode;
  readonly partition: readonly number[];
  readonly order: readonly OrderColumn[];
  readonly functions: readonly WindowFunction[];
}

/**
 * Retract to upsert, for rows of which there is never more than one per key: ADD becomes UPSERT, RETRACT becomes DELETE.
 */
export interface KeyedNode extends NodeBase {
  readonly node: 'keyed';
  readonly input: PlanNode;
}

export type RelationKind = 'append' | 'upsert' | 'retract';

export type FormatName = 'JSON' | 'DELIMITED' | 'KAFKA' | 'NONE';

export interface FormatSpec {
  readonly format: FormatName;
  /** DELIMITED: one character */
  readonly delimiter: string;
  /** JSON: false writes and reads a single column without an object around it */
  readonly wrapSingle: boolean;
}

/** A declared stream or table over a topic. */
export interface SourceSpec {
  readonly kind: 'stream' | 'table';
  readonly name: string;
  readonly topic: string;
  readonly columns: readonly SourceColumn[];
  readonly keyFormat: FormatSpec;
  readonly valueFormat: FormatSpec;
  /** WITH (TIMESTAMP = 'column'): event time from this column, read even where no scan's schema has it */
  readonly timestamp: { readonly column: string; readonly format: string | null } | null;
  readonly partitions: number;
  /** a windowed key in the topic, as ksqlDB writes it */
  readonly window: { readonly type: 'tumbling' | 'hopping' | 'session'; readonly size: number | null } | null;
  /** lines of the comment block before the declaration */
  readonly description: string;
}

export interface SourceColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly from: 'key' | 'value' | 'headers' | 'header';
  /** name of the header for `from: 'header'` */
  readonly header: string | null;
}

/** A derived relation that is also written to a topic. */
export interface SinkSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly keyFormat: FormatSpec;
  readonly valueFormat: FormatSpec;
  /**
   * Event time of the written record from this column, else the change's rowtime. Readers of the relation see this event
   * time as ROWTIME too; a record whose column is NULL or unreadable is dropped (ledger `undecodable`).
   */
  readonly timestamp: { readonly column: string; readonly format: string | null } | null;
  /** a windowed key: WINDOWSTART and WINDOWEND go into the record's key, as ksqlDB writes it */
  readonly window?: {
    readonly type: 'tumbling' | 'hopping' | 'session';
    readonly size: number | null;
  } | null;
}

/** One view file, planned. */
export interface ViewPlan {
  readonly name: string;
  /** `stream` and `table` are strict KSQL, `view` is complete SQL */
  readonly statement: 'stream' | 'table' | 'view';
  readonly root: PlanNode;
  /** kind of the root's output */
  readonly kind: RelationKind;
  /** key columns of the root become the record's key, the others its value, in order */
  readonly sink: SinkSpec | null;
  /**
   * Positions of root columns that only identify the row and are not served (a VIEW over a table that does not select
   * its key): they follow the named columns.
   */
  readonly hidden?: readonly number[] | undefined;
  /** views and sources that it reads, by name, in order of first mention */
  readonly reads: readonly string[];
  /** topics that it reads directly or through other views */
  readonly topics: readonly string[];
  readonly description: string;
  /** hash of the plan and of everything below it that decides its rows; spelling and comments do not matter */
  readonly fingerprint: string;
  /** the statement as the user wrote it */
  readonly sql: string;
}

/** All plans of one deployment in an order in which each view follows what it reads. */
export interface DeploymentPlan {
  readonly sources: readonly SourceSpec[];
  readonly views: readonly ViewPlan[];
}
