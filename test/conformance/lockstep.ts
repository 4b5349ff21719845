import { type CaseEngine, columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import type { Change } from '../../src/core/change.ts';
import type { RecordBlock } from '../../src/core/log-record.ts';
import type { DataflowOptions, Engine, LedgerEntry } from '../../src/dataflow/dataflow.ts';
import { ViewRows } from '../../src/dataflow/reference/view-rows.ts';
import type { ViewPlan } from '../../src/plan/plan.ts';
import { changeText, rowText } from '../cases/case-runner.ts';

/** What two runs of one plan do not agree on. */
export class Disagreement extends Error {}

export interface LockstepOptions {
  readonly createEngine: (options: DataflowOptions) => Engine;
  /** numbers in [0, 1) */
  readonly random: () => number;
  /** told of every kill */
  readonly killed: () => void;
}

/**
 * The engine beside the reference fold: after every block the rows of every view are those of the fold, one by one; what
 * feeds a topic is the same record by record, and so is the ledger. Now and then the engine is killed before or after a
 * block: a fresh one is restored from the last snapshot, and what it says again of the blocks since then is the same again.
 */
export function lockstep({ createEngine, random, killed }: LockstepOptions): CaseEngine {
  return options => {
    const fold = foldEngine(options);
    const fresh = () => createEngine(options);
    let engine = fresh();
    let kept = { parts: engine.snapshot(), position: 0 };
    let since: { readonly block: RecordBlock; readonly told: string }[] = [];
    const rows = new Map(
      options.plan.views.map(({ name, root }) => [
        name,
        { fold: new ViewRows(root.schema), engine: new ViewRows(root.schema) },
      ]),
    );
    const taken = new Map<string, Change[]>();
    let ledger: LedgerEntry[] = [];

    const stepOnce = (block: RecordBlock) => {
      const run = columnsEngine(() => engine)(options);
      run.step(block);
      const changes = new Map(options.plan.views.map(v => [v.name, run.takeChanges(v.name)]));
      return { changes, ledger: run.takeLedger() };
    };
    const restart = () => {
      killed();
      engine = fresh();
      if (kept.position > 0) engine.restore(kept.parts, kept.position);
      for (const { block, told } of since) same('what was said before a kill', told, toldBy(stepOnce(block)));
    };
    const toldBy = ({ changes, ledger }: ReturnType<typeof stepOnce>) =>
      [
        ...options.plan.views.flatMap(view => textsOf(view, changes.get(view.name) ?? [])),
        ...ledger.map(entryText),
      ].join('\n');

    return {
      step(block) {
        if (random() < 0.25) restart();
        fold.step(block);
        const step = stepOnce(block);
        since.push({ block, told: toldBy(step) });
        if (random() < 0.25) restart();
        for (const view of options.plan.views) {
          const [own, folds] = [step.changes.get(view.name) ?? [], fold.takeChanges(view.name)];
          if (view.sink !== null) {
            same(`changes of ${view.name}`, textsOf(view, folds).join('\n'), textsOf(view, own).join('\n'));
          }
          taken.set(view.name, [...(taken.get(view.name) ?? []), ...own]);
          if (view.statement === 'stream') continue;
          const both = rows.get(view.name);
          for (const change of folds) both?.fold.apply(change);
          for (const change of own) both?.engine.apply(change);
          same(`rows of ${view.name}`, rowsText(view, both?.fold), rowsText(view, both?.engine));
        }
        const entries = step.ledger.map(entryText).sort().join('\n');
        same('the ledger', fold.takeLedger().map(entryText).sort().join('\n'), entries);
        ledger.push(...step.ledger);
        if (random() < 0.5) {
          kept = { parts: engine.snapshot(), position: block.firstSeq + block.n };
          since = [];
        }
      },
      takeChanges(view) {
        const changes = taken.get(view) ?? [];
        taken.delete(view);
        return changes;
      },
      takeLedger() {
        const entries = ledger;
        ledger = [];
        return entries;
      },
      deadline: () => engine.deadline(),
    };
  };
}

function same(what: string, expected: string, actual: string): void {
  if (expected !== actual) throw new Disagreement(`${what}:\n${expected}\n  but\n${actual}`);
}

function textsOf({ name, root }: ViewPlan, changes: readonly Change[]): string[] {
  return changes.map(change => `${name} ${change.seq} ${changeText(change, root.schema)}`);
}

function entryText({ view, reason, seq, message }: LedgerEntry): string {
  return `${view} ${reason} ${seq} ${message}`;
}

function rowsText({ root }: ViewPlan, rows: ViewRows | undefined): string {
  return (rows?.inOrder() ?? []).map(r => `${rowText(r.row, root.schema)} @${r.rowtime}`).join('\n');
}
