import { type Change, Op } from '../../core/change.ts';
import { type LogRecord, TICK_TOPIC } from '../../core/log-record.ts';
import type { Row } from '../../core/value.ts';
import { createRowDecoder } from '../../decode/row-decoder.ts';
import { timestampParsers } from '../../decode/timestamp-format.ts';
import { compileExpr } from '../../expr/closure.ts';
import type { PlanNode, RelationKind, ViewPlan } from '../../plan/plan.ts';
import { inputsOf } from '../../plan/properties.ts';
import type { DataflowOptions } from '../dataflow.ts';
import { buildNode } from './build-node.ts';
import type { Moment } from './fold-node.ts';
import { ViewRows } from './view-rows.ts';

export interface OneShotInput {
  /** rows of a view that the query reads */
  readonly rowsOf: (view: string) => Iterable<{ readonly row: Row; readonly rowtime: number }>;
  /** records of the topics that the query reads, in order of sequence */
  readonly records: readonly LogRecord[];
  /** the log's clock, ms */
  readonly now: number;
}

/** Runs a plan once over given rows and records, with the meaning of the reference fold; the rows in order of the key. */
export function runOnce(
  plan: ViewPlan,
  { functions, zone, upcasters }: Pick<DataflowOptions, 'functions' | 'zone' | 'upcasters'>,
  input: OneShotInput,
): readonly Row[] {
  const timestampParser = timestampParsers(zone);
  const root = buildNode(plan.root, {
    compile: expr => compileExpr(expr, functions),
    functions,
    zone,
    complete: plan.statement === 'view',
    decoderOf: node =>
      createRowDecoder({
        source: node.source,
        schema: node.schema,
        timestampParser,
        upcast: upcasters?.get(node.source.topic),
      }),
  });
  const rows = new ViewRows(plan.root.schema);
  let seq = 0;
  const step = (record: LogRecord, changes: ReadonlyMap<string, readonly Change[]>): void => {
    const moment: Moment = {
      record,
      seq: record.seq,
      now: input.now,
      changesOf: view => changes.get(view) ?? [],
      ledger: () => {},
      unreadable: () => {},
    };
    for (const change of root.step(moment)) rows.apply(change);
  };
  for (const [view, kind] of readsOf(plan.root)) {
    for (const { row, rowtime } of input.rowsOf(view)) {
      const op = kind === 'upsert' ? Op.UPSERT : Op.ADD;
      const change: Change = { op, seq, rowtime, row, noValue: false };
      step(clockRecord(seq++, input.now), new Map([[view, [change]]]));
    }
  }
  for (const record of input.records) step({ ...record, seq: seq++ }, new Map());
  step(clockRecord(seq, input.now), new Map());
  return rows.inOrder().map(r => r.row);
}

/** views that a plan reads, each once, and the kind of their changes */
function readsOf(node: PlanNode, found = new Map<string, RelationKind>()): ReadonlyMap<string, RelationKind> {
  if (node.node === 'read') found.set(node.view, node.kind);
  for (const input of inputsOf(node)) readsOf(input, found);
  return found;
}

function clockRecord(seq: number, now: number): LogRecord {
  return {
    seq,
    topic: TICK_TOPIC,
    partition: 0,
    offset: 0,
    timestamp: now,
    appendTime: now,
    key: null,
    value: null,
    headers: [],
  };
}
