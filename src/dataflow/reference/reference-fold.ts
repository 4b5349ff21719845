import { assert } from '../../core/assert.ts';
import type { Change } from '../../core/change.ts';
import { type LogRecord, type RecordBlock, recordAt } from '../../core/log-record.ts';
import { createRowDecoder } from '../../decode/row-decoder.ts';
import { timestampParsers } from '../../decode/timestamp-format.ts';
import { compileExpr } from '../../expr/closure.ts';
import type { ViewPlan } from '../../plan/plan.ts';
import type { DataflowOptions, Fold, LedgerEntry } from '../dataflow.ts';
import { type BuildOptions, buildNode } from './build-node.ts';
import { earliest, type FoldNode, type Moment } from './fold-node.ts';
import { present } from './present.ts';
import { sinkTime } from './sink-time.ts';
import { ViewRows } from './view-rows.ts';

interface RunningView {
  readonly plan: ViewPlan;
  readonly root: FoldNode;
  readonly rows: ViewRows;
  /** changes of the current sequence number */
  now: readonly Change[];
  /** changes not yet taken */
  taken: Change[];
}

/** The definition of truth: the plans over the log, one record at a time. */
export function createReferenceFold(options: DataflowOptions): Fold {
  return new ReferenceFold(options);
}

class ReferenceFold implements Fold {
  readonly #views = new Map<string, RunningView>();
  #ledger: LedgerEntry[] = [];
  #position = 0;

  constructor(options: DataflowOptions) {
    const timestampParser = timestampParsers(options.zone);
    const build: Omit<BuildOptions, 'complete'> = {
      compile: expr => compileExpr(expr, options.functions),
      functions: options.functions,
      zone: options.zone,
      decoderOf: node =>
        createRowDecoder({
          source: node.source,
          schema: node.schema,
          timestampParser,
          upcast: options.upcasters?.get(node.source.topic),
        }),
    };
    for (const plan of options.plan.views) {
      const node = buildNode(plan.root, { ...build, complete: plan.statement === 'view' });
      const keyed = plan.kind === 'upsert' ? present(plan.root.schema, node) : node;
      const root = sinkTime(plan, keyed, timestampParser);
      this.#views.set(plan.name, { plan, root, rows: new ViewRows(plan.root.schema), now: [], taken: [] });
    }
  }

  get position(): number {
    return this.#position;
  }

  step(block: RecordBlock): void {
    for (let i = 0; i < block.n; i++) {
      const record = recordAt(block, i);
      assert(record.seq >= this.#position, `record ${record.seq} behind position ${this.#position}`);
      this.#stepRecord(record);
      this.#position = record.seq + 1;
    }
  }

  #stepRecord(record: LogRecord): void {
    for (const [name, view] of this.#views) {
      const { seq, appendTime } = record;
      const ledger: Moment['ledger'] = (reason, message) =>
        this.#ledger.push({ view: name, reason, seq, appendTime, message });
      let unreadable = false;
      const moment: Moment = {
        record,
        seq,
        now: appendTime,
        changesOf: other => this.#view(other).now,
        ledger,
        unreadable(reason, message) {
          if (!unreadable) ledger(reason, message);
          unreadable = true;
        },
      };
      view.now = view.root.step(moment);
      const hasRows = view.plan.statement !== 'stream';
      // one by one: a record may change more rows than a call takes arguments
      for (const change of view.now) {
        view.taken.push(change);
        if (hasRows) view.rows.apply(change);
      }
    }
  }

  takeChanges(view: string): readonly Change[] {
    const running = this.#view(view);
    const { taken } = running;
    running.taken = [];
    return taken;
  }

  rows(view: string): ReturnType<Fold['rows']> {
    return this.#view(view).rows.inOrder();
  }

  takeLedger(): readonly LedgerEntry[] {
    const entries = this.#ledger;
    this.#ledger = [];
    return entries;
  }

  deadline(): number | null {
    return earliest(...this.#views.values().map(view => view.root.deadline()));
  }

  #view(name: string): RunningView {
    const view = this.#views.get(name);
    assert(view, `no view ${name} in the plan`);
    return view;
  }
}
