import { type JsonValue, jsonText } from '../../decode/json-value.ts';
import type { CaseRecord } from './ksqldb-case.ts';
import { type PlainRecord, sameJson } from './ksqldb-records.ts';

/** Everything that a topic of the case received. */
export interface TopicOutput {
  readonly topic: string;
  /** the deletion of a row that is not there is no change of a table */
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
      ? differenceOf(withoutEmptyDeletes(records), withoutEmptyDeletes(topic.records))
      : differenceOf(records, topic.records);
    if (difference !== null) return `${name}: ${difference}`;
  }
  if (byTopic.size > 0) return null;
  const unexpected = topics.find(
    t => !t.input && (t.table ? withoutEmptyDeletes(t.records) : t.records).length > 0,
  );
  return unexpected === undefined
    ? null
    : `${unexpected.topic}: expected nothing, got ${show(unexpected.records[0])}`;
}

function differenceOf(expected: readonly CaseRecord[], actual: readonly PlainRecord[]): string | null {
  for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
    const e = expected[i];
    const a = actual[i];
    if (e === undefined || a === undefined || !matches(e, a)) {
      return `record ${i + 1}: expected ${show(e)}, got ${show(a)}`;
    }
  }
  return null;
}

/** The records of a table without deletions of rows that are not there. */
function withoutEmptyDeletes<
  T extends { key: JsonValue; value: JsonValue; window: CaseRecord['window'] | PlainRecord['window'] },
>(records: readonly T[]): readonly T[] {
  const windowed = records.some(record => record.window !== null);
  const there: T[] = [];
  return records.filter(record => {
    const i = there.findIndex(
      r => sameJson(r.key, record.key) && (!windowed || sameWindow(r.window, record.window)),
    );
    if (record.value === null) return i >= 0 && there.splice(i, 1).length > 0;
    if (i < 0) there.push(record);
    return true;
  });
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
