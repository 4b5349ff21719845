import { unreachable } from '../../core/assert.ts';
import { type Change, Op } from '../../core/change.ts';
import { ManualClock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import { parseTimestamp } from '../../core/iso-time.ts';
import type { SourceText, Span } from '../../core/span.ts';
import { typeText } from '../../core/sql-type.ts';
import type { Row } from '../../core/value.ts';
import type { DataflowOptions } from '../../dataflow/dataflow.ts';
import { keyTextOf } from '../../dataflow/reference/key-columns.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import { valueKey } from '../../expr/value-key.ts';
import { valueText } from '../../expr/value-text.ts';
import type { AppendRecord, EventLog } from '../../log/event-log.ts';
import { createMemoryLog } from '../../log/memory-log.ts';
import type { DeploymentPlan, ViewPlan } from '../../plan/plan.ts';
import type { ScriptStep } from '../../plan/script.ts';
import type { Relation } from '../../sql/catalog.ts';
import type { CaseEngine, CaseRun } from './case-engine.ts';
import { constantRow, insertedRecords } from './inserted-records.ts';

type AssertStep = Extract<ScriptStep, { kind: 'assert' }>;

/** An assertion of a test that does not hold; its error points at the statement. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
  readonly error: MillraceError;

  constructor(message: string, source: SourceText, span: Span) {
    super(message);
    this.error = new MillraceError('assertion_failed', message, { place: { source, span } });
  }
}

export interface SqlTestRunOptions {
  readonly engine: CaseEngine;
  readonly functions: FunctionRegistry;
  readonly zone: string;
}

/**
 * The steps of one test in order over a memory log. ASSERT VALUES takes the next change of its relation; a deletion of a
 * row that was not there is no change. The clock begins at the epoch and moves by ADVANCE CLOCK alone; a row without
 * ROWTIME has the clock's time.
 */
export class SqlTestRun {
  readonly #plan: DeploymentPlan;
  readonly #options: SqlTestRunOptions;
  readonly #source: SourceText;
  readonly #run: CaseRun;
  readonly #log: EventLog;
  readonly #clock = new ManualClock(0);
  readonly #pending = new Map<string, Change[]>();
  readonly #present = new Map<string, Set<string>>();
  #position = 0;

  constructor(plan: DeploymentPlan, options: SqlTestRunOptions, source: SourceText) {
    this.#plan = plan;
    this.#options = options;
    this.#source = source;
    const dataflow: DataflowOptions = { plan, functions: options.functions, zone: options.zone };
    this.#run = options.engine(dataflow);
    this.#log = createMemoryLog({ clock: this.#clock, id: 'test' });
  }

  runSteps(steps: readonly ScriptStep[]): void {
    for (const step of steps) {
      if (step.kind === 'assert') this.#assert(step);
      else
        for (const record of insertedRecords(step, this.#options.functions, this.#clock.now()))
          this.#append(record);
    }
  }

  #append(record: AppendRecord): void {
    this.#log.createTopic({ name: record.topic, partitions: 1, keyIndex: false });
    this.#log.append({ records: [record] });
    this.#advance();
  }

  #advance(): void {
    for (const block of this.#log.read(this.#position)) this.#run.step(block);
    this.#position = this.#log.end();
    for (const view of this.#plan.views) this.#collect(view);
  }

  #collect(view: ViewPlan): void {
    const keyText = keyTextOf(view.root.schema);
    const present = this.#present.get(view.name) ?? new Set<string>();
    this.#present.set(view.name, present);
    const pending = this.#pending.get(view.name) ?? [];
    this.#pending.set(view.name, pending);
    for (const change of this.#run.takeChanges(view.name)) {
      if (change.op === Op.UPSERT) present.add(keyText(change.row));
      if (change.op === Op.DELETE && !present.delete(keyText(change.row))) continue;
      pending.push(change);
    }
  }

  #assert(step: AssertStep): void {
    const { statement } = step;
    switch (statement.what) {
      case 'values':
      case 'nullValues':
        this.#assertNext(step);
        return;
      case 'stream':
      case 'table':
        this.#assertRelation(step);
        return;
      case 'topic':
        this.#assertTopic(step);
        return;
      case 'clock':
        this.#advanceClock(step);
        return;
      case 'schema':
        throw new MillraceError(
          'not_supported',
          'ASSERT SCHEMA is not supported: there is no schema registry',
          {
            place: { source: this.#source, span: step.span },
          },
        );
      default:
        unreachable(statement.what);
    }
  }

  #assertNext(step: AssertStep): void {
    const { target, row, statement } = step;
    if (target === null || row === null) return;
    const view = this.#plan.views.find(v => v.name === target.name);
    if (view === undefined)
      this.#fail(step, `"${target.name}" is made by no query: assert on what a query makes`);
    const change = this.#pending.get(view.name)?.shift();
    const expected = constantRow(row, this.#options.functions, this.#clock.now());
    const text = (values: Row) => rowText(values, target, row.given);
    if (change === undefined)
      this.#fail(step, `expected ${text(expected.row)}, but "${target.name}" has no further change`);
    const deleted = change.op === Op.DELETE || change.op === Op.RETRACT || change.noValue;
    const wantsDeletion = statement.what === 'nullValues';
    const actual = deleted ? `the deletion of ${text(change.row)}` : text(change.row);
    const wanted = wantsDeletion ? `the deletion of ${text(expected.row)}` : text(expected.row);
    if (deleted !== wantsDeletion || !sameCells(expected.row, change.row, target, row.given)) {
      this.#fail(step, `expected ${wanted}, but "${target.name}" gave ${actual}`);
    }
    if (expected.rowtime !== null && expected.rowtime !== change.rowtime) {
      this.#fail(step, `expected ROWTIME ${expected.rowtime}, but "${target.name}" gave ${change.rowtime}`);
    }
  }

  #assertRelation(step: AssertStep): void {
    const { target, statement } = step;
    if (target === null) return;
    if (target.kind !== statement.what) this.#fail(step, `"${target.name}" is a ${target.kind}`);
    if (statement.definition.length === 0) return;
    const visible = target.schema.columns.filter((_, i) => !target.hidden.includes(i));
    const actual = visible.map(c => c.name.toUpperCase());
    const wanted = statement.definition.map(c => c.name.name.toUpperCase());
    if (actual.join() !== wanted.join()) {
      const columns = visible.map(c => `${c.name} ${typeText(c.type)}`).join(', ');
      this.#fail(step, `"${target.name}" has the columns ${columns}`);
    }
  }

  #assertTopic(step: AssertStep): void {
    const name = step.statement.target?.name ?? '';
    const topics = [
      ...this.#plan.sources.map(source => source.topic),
      ...this.#plan.views.flatMap(view => view.sink?.topic ?? []),
    ];
    const found = topics.some(topic => topic.toUpperCase() === name.toUpperCase());
    if (found === step.statement.not)
      this.#fail(step, `topic "${name}" ${found ? 'exists' : 'does not exist'}`);
  }

  #advanceClock(step: AssertStep): void {
    const [value] = step.statement.values;
    const time = value?.kind === 'string' ? parseTimestamp(value.value) : null;
    if (time === null) this.#fail(step, "expected a time like '2024-01-31T12:00:00Z'");
    if (time < this.#clock.now()) this.#fail(step, 'the clock does not go back');
    this.#tickUntil(time);
  }

  /** Stops at every time at which a live server would write a tick. */
  #tickUntil(time: number): void {
    for (;;) {
      const deadline = this.#run.deadline();
      const next = deadline === null || deadline >= time ? time : Math.max(deadline, this.#clock.now());
      this.#clock.set(next);
      this.#log.tick(next);
      this.#advance();
      if (next === time) return;
    }
  }

  #fail(step: AssertStep, message: string): never {
    throw new AssertionFailure(message, this.#source, step.span);
  }
}

function sameCells(a: Row, b: Row, target: Relation, given: readonly boolean[]): boolean {
  return target.schema.columns.every((column, i) => {
    const text = valueKey(column.type);
    return given[i] !== true || text(a[i] ?? null) === text(b[i] ?? null);
  });
}

function rowText(row: Row, target: Relation, given: readonly boolean[]): string {
  const cells = target.schema.columns.flatMap((column, i) => {
    if (given[i] !== true) return [];
    const value = row[i] ?? null;
    return `${column.name} ${value === null ? 'NULL' : valueText(column.type)(value)}`;
  });
  return `(${cells.join(', ')})`;
}
