import { bitAt } from '../../../src/core/bits.ts';
import { type Change, Op } from '../../../src/core/change.ts';
import type { LogRecord } from '../../../src/core/log-record.ts';
import type { Schema } from '../../../src/core/schema.ts';
import { rowAt, selectedRows } from '../../../src/core/vec.ts';
import type { EpochOutput, LedgerEntry } from '../../../src/dataflow/dataflow.ts';
import { finalViews } from '../../../src/dataflow/engine/demand.ts';
import { createEngine, type EngineOptions } from '../../../src/dataflow/engine/engine.ts';
import { createReferenceFold } from '../../../src/dataflow/reference/reference-fold.ts';
import { ViewRows } from '../../../src/dataflow/reference/view-rows.ts';
import { sinkEncoder } from '../../../src/dataflow/sink-encoder.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import { blockOf } from '../../../src/log/record-block.ts';
import type { DeploymentPlan, PlanNode, ViewPlan } from '../../../src/plan/plan.ts';
import { inputsOf } from '../../../src/plan/properties.ts';
import { Random } from '../generator/random.ts';
import { exactText } from './exact-text.ts';
import type { Records } from './log-bytes.ts';
import { StateCommits } from './state-commits.ts';

/** What the fold says of a history: whole, and at some positions. */
interface Expected {
  readonly positions: readonly number[];
  readonly rows: readonly ReadonlyMap<string, readonly string[]>[];
  readonly deadlines: readonly (number | null)[];
  readonly changes: ReadonlyMap<string, readonly string[]>;
  readonly ledger: ReadonlyMap<string, readonly string[]>;
}

/** One run of the engine over the history. */
interface Way {
  readonly name: string;
  /** ends of epochs, increasing; the last is the end of the history */
  readonly cuts: readonly number[];
  readonly restoreAfter: (cut: number) => boolean;
  /** state goes through commits of what has changed, so many slots in turn; null: through whole snapshots */
  readonly commits: { readonly inTurn: number | undefined } | null;
  readonly writesTopics: boolean;
  readonly generatedCode: boolean;
}

export interface ScriptRun {
  readonly plan: DeploymentPlan;
  readonly zone: string;
  readonly records: readonly LogRecord[];
  /** decides where the history is cut, and which further checks are made */
  readonly seed: number;
  /** the same records read from real logs, when given */
  readonly logs?: readonly Records[] | undefined;
}

/**
 * Laws 1 and 2 for a script: the engine, cut and restored anywhere, gives what the reference fold gives; streams and topics
 * change by change, tables and views row by row, ledgers entry by entry. So does each view alone, and every log that
 * holds the records. The first difference as text, or null.
 */
export function checkScript(run: ScriptRun): string | null {
  const { plan, records, seed } = run;
  const random = new Random(seed);
  const end = records.length;
  const cuts = [...Array(end).keys()].slice(1).filter(() => random.chance(0.3));
  const restored = new Set(cuts.filter(() => random.chance(0.4)));
  const code = random.chance(0.7);
  const ways: readonly Way[] = [
    {
      name: 'whole',
      cuts: [end],
      restoreAfter: () => false,
      commits: null,
      writesTopics: false,
      generatedCode: true,
    },
    {
      name: 'cut and restored',
      cuts: [...cuts, end],
      restoreAfter: cut => restored.has(cut),
      commits: random.chance(0.6) ? { inTurn: random.chance(0.3) ? undefined : random.int(1, 3) } : null,
      writesTopics: random.chance(0.5),
      generatedCode: code,
    },
    {
      name: 'record by record',
      cuts: [...records.keys()].map(i => i + 1),
      restoreAfter: cut => cut === Math.ceil(end / 2),
      commits: null,
      writesTopics: true,
      generatedCode: !code,
    },
  ];
  try {
    const shown = new Set([...random.shuffled(cuts).slice(0, 6), end]);
    const expected = foldOf(
      run,
      [...shown].sort((a, b) => a - b),
    );
    for (const way of ways) {
      const problem = differs(run, way, plan, expected, records);
      if (problem !== null) return `${way.name}: ${problem}`;
    }
    for (const [i, log] of (run.logs ?? []).entries()) {
      const way = { ...(ways[i % 2] as Way), name: log.name };
      const problem = differs(run, way, plan, expected, log);
      if (problem !== null) return `${log.name}: ${problem}`;
    }
    return plan.views.length > 1 ? alone(run, ways[seed % 2] as Way, expected, random) : null;
  } catch (error) {
    return `thrown: ${error instanceof Error ? causes(error) : String(error)}`;
  }
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `${error.stack}\n${causes(error.cause)}` : `${error.stack}`;
}

/** One of the views, with what it reads and nothing else. */
function alone(run: ScriptRun, way: Way, expected: Expected, random: Random): string | null {
  const chosen = random.of(run.plan.views);
  const views = withInputs(chosen, run.plan);
  if (views.length === run.plan.views.length) return null;
  const problem = differs(run, way, { ...run.plan, views }, expected, run.records);
  return problem === null ? null : `${chosen.name} alone, ${way.name}: ${problem}`;
}

function withInputs(chosen: ViewPlan, plan: DeploymentPlan): readonly ViewPlan[] {
  const names = new Set<string>();
  const add = (view: ViewPlan | undefined): void => {
    if (view === undefined || names.has(view.name)) return;
    names.add(view.name);
    for (const name of readsOf(view.root)) add(plan.views.find(v => v.name === name));
  };
  add(chosen);
  return plan.views.filter(v => names.has(v.name));
}

function readsOf(node: PlanNode): readonly string[] {
  return node.node === 'read' ? [node.view] : inputsOf(node).flatMap(readsOf);
}

function foldOf({ plan, zone, records }: ScriptRun, positions: readonly number[]): Expected {
  const fold = createReferenceFold({ plan, functions: standardLibrary, zone });
  const rows: Map<string, readonly string[]>[] = [];
  const deadlines: (number | null)[] = [];
  let from = 0;
  for (const to of positions) {
    fold.step(blockOf(records.slice(from, to)));
    from = to;
    rows.push(new Map(plan.views.map(v => [v.name, rowTexts(fold.rows(v.name))])));
    deadlines.push(fold.deadline());
  }
  const changes = new Map(
    plan.views.map(view => {
      const all = fold.takeChanges(view.name);
      const encode = view.sink === null ? null : sinkEncoder(view, plan);
      for (const change of all) encode?.(change);
      return [view.name, all.map(c => changeText(c, view.root.schema))];
    }),
  );
  return { positions, rows, deadlines, changes, ledger: ledgerTexts(fold.takeLedger()) };
}

function differs(
  { zone }: ScriptRun,
  way: Way,
  plan: DeploymentPlan,
  expected: Expected,
  records: readonly LogRecord[] | Records,
): string | null {
  const options: EngineOptions = {
    plan,
    functions: standardLibrary,
    zone,
    writesTopic: () => way.writesTopics,
    generatedCode: way.generatedCode,
  };
  let engine = createEngine(options);
  const seen = new Map(plan.views.map(v => [v.name, new SeenView(v.root.schema)]));
  const ledger: LedgerEntry[] = [];
  const commits = way.commits && new StateCommits(way.commits.inTurn);
  commits?.follow(engine);
  let from = 0;
  for (const to of way.cuts) {
    const blocks = 'read' in records ? records.read(from, to) : [blockOf(records.slice(from, to))];
    for (const block of blocks) {
      const output = engine.step(block);
      ledger.push(...output.ledger);
      for (const [name, view] of seen) view.take(output, name);
    }
    from = to;
    const text = differsAt(to, plan, expected, { seen, deadline: () => engine.deadline() });
    if (text !== null) return text;
    commits?.take(engine);
    if (!way.restoreAfter(to)) continue;
    const parts = commits?.parts() ?? engine.snapshot();
    const { position } = engine;
    engine = createEngine(options);
    engine.restore(parts, position);
    commits?.follow(engine);
  }
  const final = finalViews(plan, () => way.writesTopics);
  const ledgers = ledgerTexts(ledger);
  for (const { name } of plan.views) {
    const text =
      (final.has(name)
        ? null
        : difference(
            `changes of ${name}`,
            expected.changes.get(name) ?? [],
            seen.get(name)?.changes ?? [],
          )) ?? difference(`ledger of ${name}`, expected.ledger.get(name) ?? [], ledgers.get(name) ?? []);
    if (text !== null) return text;
  }
  return null;
}

interface Reached {
  readonly seen: ReadonlyMap<string, SeenView>;
  deadline(): number | null;
}

/** Rows and deadline, at a position at which the fold was asked. */
function differsAt(to: number, plan: DeploymentPlan, expected: Expected, reached: Reached): string | null {
  const at = expected.positions.indexOf(to);
  if (at < 0) return null;
  for (const { name, statement } of plan.views) {
    if (statement === 'stream') continue;
    const fold = expected.rows[at]?.get(name) ?? [];
    const text = difference(`rows of ${name} at ${to}`, fold, reached.seen.get(name)?.rows() ?? []);
    if (text !== null) return text;
  }
  const deadline = reached.deadline();
  if (plan.views.length < expected.changes.size || deadline === expected.deadlines[at]) return null;
  return `deadline at ${to}: fold ${expected.deadlines[at]}, engine ${deadline}`;
}

class SeenView {
  readonly changes: string[] = [];
  readonly #schema: Schema;
  readonly #rows: ViewRows;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#rows = new ViewRows(schema);
  }

  rows(): readonly string[] {
    return rowTexts(this.#rows.inOrder());
  }

  take(output: EpochOutput, name: string): void {
    for (const batch of output.changes.get(name) ?? []) {
      for (const i of selectedRows(batch)) {
        const change: Change = {
          op: (batch.op?.[i] ?? Op.ADD) as Op,
          seq: batch.seq[i] as number,
          rowtime: batch.rowtime[i] as number,
          row: rowAt(batch, i),
          noValue: bitAt(batch.noValue, i),
        };
        this.changes.push(changeText(change, this.#schema));
        this.#rows.apply(change);
      }
    }
  }
}

const SIGNS: Readonly<Record<Op, string>> = {
  [Op.ADD]: '+',
  [Op.RETRACT]: '-',
  [Op.UPSERT]: '=',
  [Op.DELETE]: 'x',
};

/** Of a deletion only the key and the sequence count. */
function changeText({ op, seq, rowtime, row, noValue }: Change, schema: Schema): string {
  if (op === Op.DELETE) return `x ${exactText(schema.key.map(i => row[i] ?? null))} #${seq}`;
  return `${SIGNS[op]} ${exactText(row)} @${rowtime} #${seq}${noValue ? ' no value' : ''}`;
}

function rowTexts(rows: ReturnType<ViewRows['inOrder']>): readonly string[] {
  return rows.map(({ row, rowtime }) => `${exactText(row)} @${rowtime}`);
}

/**
 * In order of the sequence; within one the order of the entries counts for nothing. The bounds of a late session depend on whether sessions that ended long ago are still remembered.
 */
function ledgerTexts(ledger: readonly LedgerEntry[]): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, string[]>();
  const ordered = ledger
    .map(entry => ({ entry, text: ledgerText(entry) }))
    .sort((a, b) => a.entry.seq - b.entry.seq || (a.text < b.text ? -1 : 1));
  for (const { entry, text } of ordered) {
    const list = texts.get(entry.view) ?? [];
    texts.set(entry.view, list);
    list.push(text);
  }
  return texts;
}

function ledgerText({ reason, seq, appendTime, message }: LedgerEntry): string {
  return `#${seq} ${reason} ${message.replace(/session \[.*\]/, 'session')} @${appendTime}`;
}

function difference(what: string, fold: readonly string[], engine: readonly string[]): string | null {
  const at = fold.findIndex((text, i) => text !== engine[i]);
  if (at < 0 && fold.length === engine.length) return null;
  const from = Math.max(0, (at < 0 ? fold.length : at) - 2);
  const list = (texts: readonly string[]) =>
    texts
      .slice(from, from + 8)
      .map((t, i) => `    ${from + i}: ${t}`)
      .join('\n') || '    (none)';
  return `${what} differ\n  fold (${fold.length}):\n${list(fold)}\n  engine (${engine.length}):\n${list(engine)}`;
}
