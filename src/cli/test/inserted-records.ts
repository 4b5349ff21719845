import { assert } from '../../core/assert.ts';
import { Op } from '../../core/change.ts';
import { MillraceError } from '../../core/errors.ts';
import type { Row } from '../../core/value.ts';
import { createRecordEncoder } from '../../decode/record-encoder.ts';
import { compileExpr } from '../../expr/closure.ts';
import type { EvalContext } from '../../expr/functions.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import type { AppendRecord } from '../../log/event-log.ts';
import type { SinkSpec } from '../../plan/plan.ts';
import type { ScriptStep } from '../../plan/script.ts';
import type { InsertRow } from '../../sql/analyse/insert-values.ts';
import type { Relation } from '../../sql/catalog.ts';

export interface ConstantRow {
  readonly row: Row;
  /** ROWTIME, or null when it is not given */
  readonly rowtime: number | null;
}

/** The values of a row of constants. Throws `invalid_argument` for one that fails. */
export function constantRow(row: InsertRow, functions: FunctionRegistry, now: number): ConstantRow {
  const ctx: EvalContext = {
    now,
    rowtime: now,
    seq: 0,
    zone: 'UTC',
    fail(message) {
      throw new MillraceError('invalid_argument', message);
    },
  };
  const rowtime = row.rowtime === null ? null : compileExpr(row.rowtime, functions)([], ctx);
  return {
    row: row.columns.map(column => compileExpr(column, functions)([], ctx)),
    rowtime: rowtime === null ? null : Number(rowtime),
  };
}

/** The records that INSERT INTO ... VALUES writes into the topic of a relation; none for other steps. */
export function insertedRecords(step: ScriptStep, functions: FunctionRegistry, now = 0): AppendRecord[] {
  if (step.kind !== 'insert') return [];
  const sink = topicOf(step.target);
  const encode = createRecordEncoder(sink, step.target.schema);
  return step.rows.map(insert => {
    const { row, rowtime } = constantRow(insert, functions, now);
    const change = { op: Op.ADD, seq: 0, rowtime: rowtime ?? now, row, noValue: false };
    return { topic: sink.topic, partition: 0, ...encode(change) };
  });
}

function topicOf(target: Relation): SinkSpec {
  if (target.sink !== null) return target.sink;
  const { source } = target;
  assert(source !== null, `${target.name} has no topic`);
  const { topic, partitions, keyFormat, valueFormat, window } = source;
  return { topic, partitions, keyFormat, valueFormat, timestamp: null, window };
}
