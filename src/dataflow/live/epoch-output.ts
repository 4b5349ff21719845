import type { RecordBlock } from '../../core/log-record.ts';
import type { SourceSpec, ViewPlan } from '../../plan/plan.ts';
import type { Journal } from '../../state/journal.ts';
import type { RowChangeWriter } from '../../view-store/row-changes.ts';
import type { EpochOutput, LedgerEntry } from '../dataflow.ts';
import type { LedgerState } from '../ledger.ts';
import type { OverBudget } from '../memory-budget.ts';
import { ofView } from '../view-failure.ts';
import type { SinkRecord, SinkWriter } from './sink-writer.ts';
import type { ViewRowEncoder } from './view-rows.ts';

/** A view version that is live: its plan and the name of its file. */
export interface LiveVersion {
  readonly plan: ViewPlan;
  readonly version: string;
  /** the whole file that the plan was made from: the last good text while the file is broken */
  readonly text: string;
  /** set when the view went wrong while it was live: its rows stay as they were at this position */
  readonly fault?: ViewFault | undefined;
  /** set when records that it reads had been taken from the log before it was built: its history begins there */
  readonly since?: Since | undefined;
}

export interface Since {
  readonly position: number;
  /** append time there, ms */
  readonly time: number;
}

export interface ViewFault {
  readonly message: string;
  readonly position: number;
  /** nothing is wrong with the view itself: it is to be rebuilt */
  readonly rebuild?: boolean | undefined;
  /** nothing is wrong with the view itself: its state, or that of a view that it reads, was too much */
  readonly paused?: OverBudget | undefined;
}

/** What the journal remembers of the live views; plain data. */
export interface LiveCatalog {
  readonly sources: readonly SourceSpec[];
  readonly versions: readonly LiveVersion[];
}

/** What changes more often than that; plain data. */
export interface LiveNotes {
  readonly ledger: LedgerState;
}

export type LiveJournal = Journal<LiveCatalog, LiveNotes>;

/** One epoch as the serving thread gets it. */
export interface PublishedEpoch {
  readonly position: number;
  readonly changes: readonly ViewChangeBytes[];
  readonly outputs: readonly SinkOutput[];
  readonly ledger: readonly LedgerEntry[];
  /** next clock time at which a tick is needed */
  readonly deadline: number | null;
}

export interface ViewChangeBytes {
  readonly view: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface SinkOutput {
  readonly view: string;
  readonly records: readonly SinkRecord[];
}

/** The records of derived topics that the epoch of a block gives: stretches of one array. */
export function encodeOutputs(
  output: EpochOutput,
  block: RecordBlock,
  sinkOf: (view: string) => SinkWriter | null | undefined,
): SinkOutput[] {
  const outputs: SinkOutput[] = [];
  for (const [view, batches] of output.changes) {
    const records = ofView(view, () => sinkOf(view)?.records(batches, block) ?? []);
    if (records.length > 0) outputs.push({ view, records });
  }
  return together(outputs);
}

/** Many small arrays are slow to hand to another thread. */
function together(outputs: readonly SinkOutput[]): SinkOutput[] {
  let length = 0;
  for (const { records } of outputs) {
    for (const { key, value } of records) length += (key?.length ?? 0) + (value?.length ?? 0);
  }
  const all = new Uint8Array(length);
  let end = 0;
  const moved = (bytes: Uint8Array | null): Uint8Array | null => {
    if (bytes === null) return null;
    all.set(bytes, end);
    end += bytes.length;
    return all.subarray(end - bytes.length, end);
  };
  return outputs.map(({ view, records }) => ({
    view,
    records: records.map(r => ({ ...r, key: moved(r.key), value: moved(r.value) })),
  }));
}

/** The changes of stored rows that an epoch gives: stretches of one array. `writer` is empty before and after. */
export function encodeChanges(
  output: EpochOutput,
  writer: RowChangeWriter,
  encoderOf: (view: string) => ViewRowEncoder | undefined,
): ViewChangeBytes[] {
  const ends: { readonly view: string; readonly end: number }[] = [];
  try {
    for (const [view, batches] of output.changes) {
      const encoder = encoderOf(view);
      if (encoder === undefined) continue;
      ofView(view, () => encoder.encode(batches, writer));
      ends.push({ view, end: writer.out.length });
    }
  } catch (error) {
    writer.take();
    throw error;
  }
  const bytes = writer.take();
  const changes: ViewChangeBytes[] = [];
  let from = 0;
  for (const { view, end } of ends) {
    if (end > from) changes.push({ view, bytes: bytes.subarray(from, end) });
    from = end;
  }
  return changes;
}
