import { bitAt } from '../../core/bits.ts';
import { type Change, Op } from '../../core/change.ts';
import type { RecordBlock } from '../../core/log-record.ts';
import { rowAt, selectedRows } from '../../core/vec.ts';
import type { DataflowOptions, Engine, LedgerEntry } from '../../dataflow/dataflow.ts';
import { createReferenceFold } from '../../dataflow/reference/reference-fold.ts';

/** A plan being run over records: what test runners need of the fold or the engine. */
export interface CaseRun {
  step(block: RecordBlock): void;
  /** changes of a view since the last call, in order */
  takeChanges(view: string): readonly Change[];
  takeLedger(): readonly LedgerEntry[];
  deadline(): number | null;
}

export type CaseEngine = (options: DataflowOptions) => CaseRun;

export const foldEngine: CaseEngine = options => createReferenceFold(options);

/** The engine as a case engine: its batches as single changes. */
export function columnsEngine(createEngine: (options: DataflowOptions) => Engine): CaseEngine {
  return options => {
    const engine = createEngine(options);
    const changes = new Map<string, Change[]>();
    let ledger: LedgerEntry[] = [];
    return {
      step(block) {
        const output = engine.step(block);
        ledger.push(...output.ledger);
        for (const [view, batches] of output.changes) {
          const list = changes.get(view) ?? [];
          changes.set(view, list);
          for (const batch of batches) {
            for (const i of selectedRows(batch)) {
              list.push({
                op: (batch.op?.[i] ?? Op.ADD) as Op,
                seq: batch.seq[i] ?? 0,
                rowtime: batch.rowtime[i] ?? 0,
                row: rowAt(batch, i),
                noValue: bitAt(batch.noValue, i),
              });
            }
          }
        }
      },
      takeChanges(view) {
        const taken = changes.get(view) ?? [];
        changes.delete(view);
        return taken;
      },
      takeLedger() {
        const taken = ledger;
        ledger = [];
        return taken;
      },
      deadline: () => engine.deadline(),
    };
  };
}
