import { type JsonValue, jsonText } from '../../decode/json-value.ts';
import type { CaseRecord } from './ksqldb-case.ts';
import { type PlainRecord, sameJson } from './ksqldb-records.ts';

/** Everything that a topic of the case received. */
export interface TopicOutput {
  readonly topic: string;
  /** a table may merge or skip intermediate updates: only the rows that remain count */
  readonly table: boolean;
  /** written by the case's own inputs only: nobody expects it to stay empty */
  readonly input: boolean;
  readonly records: readonly PlainRecord[];
}

/** The first difference between expected and written records, as text; null when there is none. */
export function outputDifference(
  expected: readonly CaseRecord[],
  topics: readonly TopicOutput[],
): string | null {
  const byTopic = Map.groupBy(expected, record => record.topic.toUpperCase());
  for (const [name, records] of byTopic) {
    const topic = topics.find(t => t.topic.toUpperCase() === name);
    if (topic === undefined) return `${name}: no such topic is written`;
    const difference = topic.table
      ? tableDifference(records, topic.records)
      : streamDifference(records, topic.records);
    if (difference !== null) return `${name}: ${difference}`;
  }
  if (byTopic.size > 0) return null;
  const unexpected = topics.find(
    t => !t.input && (t.table ? remaining(t.records, true) : t.records).length > 0,
  );
  return unexpected === undefined
    ? null
    : `${unexpected.topic}: expected nothing, got ${show(unexpected.records[0])}`;
}

function streamDifference(expected: readonly CaseRecord[], actual: readonly PlainRecord[]): string | null {
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    const e = expected[i];
    const a = actual[i];
    if (e === undefined || a === undefined || !matches(e, a)) {
      return `record ${i + 1}: expected ${show(e)}, got ${show(a)}`;
    }
  }
  return null;
}

function tableDifference(expected: readonly CaseRecord[], actual: readonly PlainRecord[]): string | null {
  const windowed = expected.some(record => record.window !== null);
  const wanted = remaining(expected, windowed);
  const left = [...remaining(actual, windowed)];
  for (const e of wanted) {
    const i = left.findIndex(a => matches(e, a));
    if (i < 0) {
      const near = left.find(a => sameJson(e.key, a.key));
      return `row: expected ${show(e)}, got ${show(near)}`;
    }
    left.splice(i, 1);
  }
  return left.length === 0 ? null : `unexpected row ${show(left[0])}`;
}

/** The last record of each key (and window) unless it is a deletion. */
function remaining<
  T extends { key: JsonValue; value: JsonValue; window: CaseRecord['window'] | PlainRecord['window'] },
>(records: readonly T[], windowed: boolean): readonly T[] {
  const last: T[] = [];
  for (const record of records) {
    const i = last.findIndex(
      r => sameJson(r.key, record.key) && (!windowed || sameWindow(r.window, record.window)),
    );
    if (i < 0) last.push(record);
    else last[i] = record;
  }
  return last.filter(record => record.value !== null);
}

type Bounds = { readonly start: number; readonly end: number } | null;

function sameWindow(a: Bounds, b: Bounds): boolean {
  return a === null || b === null ? a === b : a.start === b.start && a.end === b.end;
}

function matches(expected: CaseRecord, actual: PlainRecord): boolean {
  return (
    sameJson(expected.key, actual.key) &&
    sameValue(expected.value, actual.value) &&
    (expected.timestamp === null || expected.timestamp === actual.timestamp) &&
    (expected.window === null || sameWindow(expected.window, actual.window))
  );
}

/** Text of other formats may differ in the spelling of numbers only. */
function sameValue(expected: JsonValue, actual: JsonValue): boolean {
  return (
    sameJson(expected, actual) ||
    (typeof actual === 'string' &&
      expected !== null &&
      typeof expected !== 'string' &&
      jsonText(expected) === actual)
  );
}

function show(record: CaseRecord | PlainRecord | undefined): string {
  if (record === undefined) return 'nothing';
  const parts = [`key ${jsonText(record.key)}`, `value ${jsonText(record.value)}`];
  if (record.timestamp !== null) parts.push(`timestamp ${record.timestamp}`);
  if (record.window !== null) parts.push(`window [${record.window.start}, ${record.window.end}]`);
  return `{${parts.join(', ')}}`;
}
