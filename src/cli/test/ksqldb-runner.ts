import { basename } from 'node:path';
import { ManualClock } from '../../core/clock.ts';
import { MillraceError, MillraceErrors } from '../../core/errors.ts';
import type { DataflowOptions } from '../../dataflow/dataflow.ts';
import { sinkEncoder } from '../../dataflow/sink-encoder.ts';
import type { RecordEncoder } from '../../decode/record-encoder.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import type { EventLog } from '../../log/event-log.ts';
import { createMemoryLog } from '../../log/memory-log.ts';
import type { DeploymentPlan, SinkSpec, ViewPlan } from '../../plan/plan.ts';
import { inputsOf } from '../../plan/properties.ts';
import type { CaseEngine, CaseRun } from './case-engine.ts';
import { type KsqldbCase, readKsqldbCases } from './ksqldb-case.ts';
import { outputDifference, type TopicOutput } from './ksqldb-outputs.ts';
import { encodeCaseRecord, type PlainRecord, plainRecord, type TopicFormat } from './ksqldb-records.ts';
import { planCase } from './plan-case.ts';
import { sinkFormat, sourceFormat, unknownFormat } from './topic-formats.ts';

export type CaseStatus = 'pass' | 'fail' | 'error';

export interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly status: CaseStatus;
  /** what differed or went wrong; '' for a pass */
  readonly reason: string;
}

export interface RunnerOptions {
  readonly engine: CaseEngine;
  readonly functions: FunctionRegistry;
  /** whether a record waits for the ones behind it, to be read with them; else each is read when it comes */
  readonly waits?: (() => boolean) | undefined;
}

/** Runs files of ksqlDB's query-validation cases, one result per case in order. */
export function* runKsqldbCases(files: readonly string[], options: RunnerOptions): Generator<CaseResult> {
  for (const file of files) {
    let cases: readonly KsqldbCase[];
    try {
      cases = readKsqldbCases(file);
    } catch (error) {
      yield {
        file: basename(file),
        name: '',
        status: 'error',
        reason: `unreadable: ${(error as Error).message}`,
      };
      continue;
    }
    for (const test of cases) yield runKsqldbCase(test, options);
  }
}

export function runKsqldbCase(test: KsqldbCase, options: RunnerOptions): CaseResult {
  const result = (status: CaseStatus, reason: string): CaseResult => ({
    file: test.file,
    name: test.name,
    status,
    reason,
  });
  try {
    const topics = runCase(test, options);
    if (test.refusal !== null) return result('fail', `accepted, but ksqlDB refuses: ${test.refusal.message}`);
    const difference = outputDifference(test.outputs ?? [], topics);
    return difference === null ? result('pass', '') : result('fail', difference);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null)
      return result('error', `bug: ${error instanceof Error ? error.stack : String(error)}`);
    const reason = `${refusal.code}: ${refusal.message}`;
    if (test.refusal === null || isGap(refusal, test.refusal.message)) return result('error', reason);
    return result('pass', '');
  }
}

function refusalOf(error: unknown): MillraceError | null {
  if (error instanceof MillraceErrors)
    return error.errors.find(e => e.code === 'not_supported') ?? error.errors[0] ?? null;
  return error instanceof MillraceError ? error : null;
}

/** Whether we refuse only because something is missing here, not because the statement is wrong. */
function isGap(refusal: MillraceError, expected: string): boolean {
  if (refusal.code === 'not_supported') return true;
  return refusal.code === 'unknown_function' && !/function/i.test(expected);
}

function runCase(test: KsqldbCase, { engine, functions: library, waits }: RunnerOptions): TopicOutput[] {
  const { plan, functions, inserts } = planCase(test, library);
  const options: DataflowOptions = { plan, functions, zone: 'UTC' };
  const run = new CaseLog(plan, engine(options), waits ?? (() => false));
  for (const insert of inserts) run.append(insert);
  for (const input of test.inputs) run.append(encodeCaseRecord(input, run.formatOf(input.topic)));
  return run.outputs();
}

/** When the cases run: NOW() and its like. A fixed time, so that every run is the same. */
const CLOCK = Date.UTC(2024, 0, 1);

/**
 * A memory log that is fed record by record. What views write to their topics comes back as records when a source is
 * declared over such a topic.
 */
class CaseLog {
  readonly #run: CaseRun;
  readonly #log: EventLog;
  readonly #clock = new ManualClock(CLOCK);
  readonly #formats = new Map<string, TopicFormat>();
  readonly #sinks: readonly Sink[];
  /** topics that a declared source reads */
  readonly #declared: ReadonlySet<string>;
  readonly #inputs = new Map<string, PlainRecord[]>();
  readonly #waits: () => boolean;
  #position = 0;

  constructor(plan: DeploymentPlan, run: CaseRun, waits: () => boolean) {
    this.#run = run;
    this.#log = createMemoryLog({ clock: this.#clock, id: 'case' });
    this.#declared = new Set(plan.sources.map(source => source.topic));
    this.#sinks = plan.views.flatMap(view => (view.sink === null ? [] : [sinkOf(view, view.sink, plan)]));
    // what comes back stands behind the record that it was made of
    this.#waits = this.#sinks.some(sink => this.#comesBack(sink)) ? () => false : waits;
    for (const sink of this.#sinks) this.#formats.set(sink.format.topic, sink.format);
    for (const source of plan.sources) this.#formats.set(source.topic, sourceFormat(source));
  }

  formatOf(topic: string): TopicFormat {
    return this.#formats.get(topic) ?? unknownFormat(topic);
  }

  append(record: Parameters<EventLog['append']>[0]['records'][number]): void {
    const format = this.formatOf(record.topic);
    this.#log.createTopic({ name: record.topic, partitions: 1, keyIndex: false });
    this.#log.append({ records: [record] });
    const inputs = this.#inputs.get(record.topic) ?? [];
    this.#inputs.set(record.topic, inputs);
    inputs.push(plainRecord({ ...record, timestamp: record.timestamp ?? 0 }, format));
    if (!this.#waits()) this.#read();
  }

  #read(): void {
    for (const block of this.#log.read(this.#position)) this.#run.step(block);
    this.#position = this.#log.end();
    this.#write();
  }

  #comesBack({ format, insertsInto }: Sink): boolean {
    return this.#declared.has(format.topic) && !insertsInto;
  }

  #write(): void {
    for (const sink of this.#sinks) {
      for (const change of this.#run.takeChanges(sink.view)) {
        const record = sink.encode(change);
        sink.records.push(plainRecord(record, sink.format));
        if (this.#comesBack(sink)) {
          this.append({ topic: sink.format.topic, partition: 0, ...record });
        }
      }
    }
  }

  outputs(): TopicOutput[] {
    this.#read();
    const sinks = this.#sinks.map(({ format, table, records }) => ({
      topic: format.topic,
      table,
      input: false,
      records,
    }));
    const written = new Set(sinks.map(sink => sink.topic));
    const inputs = [...this.#inputs].filter(([topic]) => !written.has(topic));
    return [...sinks, ...inputs.map(([topic, records]) => ({ topic, table: false, input: true, records }))];
  }
}

interface Sink {
  readonly view: string;
  readonly format: TopicFormat;
  readonly table: boolean;
  /** the topic is that of a declared stream, whose readers read this view */
  readonly insertsInto: boolean;
  readonly encode: RecordEncoder;
  readonly records: PlainRecord[];
}

function sinkOf(view: ViewPlan, sink: SinkSpec, plan: DeploymentPlan): Sink {
  return {
    view: view.name,
    format: sinkFormat(view, sink),
    table: view.kind !== 'append',
    insertsInto: readsOwnTopic(view.root, sink.topic),
    encode: sinkEncoder(view, plan),
    records: [],
  };
}

function readsOwnTopic(node: ViewPlan['root'], topic: string): boolean {
  if (node.node === 'scan') return node.outside === true && node.source.topic === topic;
  if (node.node === 'read') return false;
  return inputsOf(node).some(input => readsOwnTopic(input, topic));
}
