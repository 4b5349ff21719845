import type { Change } from '../../core/change.ts';
import type { LogRecord } from '../../core/log-record.ts';
import type { Row, Value } from '../../core/value.ts';
import type { Expr } from '../../expr/expr.ts';
import type { EvalContext } from '../../expr/functions.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import type { LedgerReason } from '../dataflow.ts';

/** One sequence number as the nodes of a view see it. */
export interface Moment {
  /** a record, or a tick: then its topic is the tick topic and no scan takes it */
  readonly record: LogRecord;
  readonly seq: number;
  /** the log's clock: append time of the record, ms */
  readonly now: number;
  /** changes of another view within this sequence number */
  readonly changesOf: (view: string) => readonly Change[];
  readonly ledger: (reason: LedgerReason, message: string) => void;
  /** the record cannot be read; counted once for a view, however many scans it has */
  readonly unreadable: (reason: LedgerReason, message: string) => void;
}

/** A node of the running fold. */
export interface FoldNode {
  /** The node's changes of this sequence number, after those of its inputs. Called once per sequence number. */
  step(moment: Moment): readonly Change[];
  /** next clock time (ms) at which a tick alone would change something in this node or below, or null */
  deadline(): number | null;
}

export type CompiledExpr = (row: Row, ctx: EvalContext) => Value | null;

/** What nodes need to be built. */
export interface FoldOptions {
  readonly compile: (expr: Expr) => CompiledExpr;
  readonly functions: FunctionRegistry;
  readonly zone: string;
}

/** Evaluates expressions over the rows of changes; failures become NULL and a ledger entry. */
export function contextOf(change: Change, moment: Moment, zone: string): EvalContext {
  return {
    now: moment.now,
    rowtime: change.rowtime,
    seq: moment.seq,
    zone,
    fail(message) {
      moment.ledger('expression_failed', message);
      return null;
    },
  };
}

export function earliest(...times: readonly (number | null)[]): number | null {
  let first: number | null = null;
  for (const time of times) if (time !== null && (first === null || time < first)) first = time;
  return first;
}
