import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogRecord, TICK_TOPIC } from '../../../src/core/log-record.ts';
import { rawBytes, type ScopeEvent } from './random-events.ts';

/** A script and a history. Its text is what runs: the generator may change. */
export interface ScriptCase {
  readonly name: string;
  readonly zone: string;
  readonly script: string;
  readonly events: readonly ScopeEvent[];
}

const corpusFolder = join(import.meta.dirname, '..', 'corpus', 'scripts');

export function readScriptCorpus(): readonly ScriptCase[] {
  return readdirSync(corpusFolder)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => JSON.parse(readFileSync(join(corpusFolder, name), 'utf8')) as ScriptCase);
}

export function saveScriptCase(found: ScriptCase): string {
  const file = join(corpusFolder, `${found.name.replace(/[^a-z0-9]+/gi, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
  return file;
}

/** The events as the log has them. */
export function recordsOf(events: readonly ScopeEvent[]): readonly LogRecord[] {
  const offsets = new Map<string, number>();
  return events.map(({ topic, key, value, time, clock }, seq): LogRecord => {
    const name = topic ?? TICK_TOPIC;
    const offset = offsets.get(name) ?? 0;
    offsets.set(name, offset + 1);
    return {
      seq,
      topic: name,
      partition: 0,
      offset,
      timestamp: time,
      appendTime: clock,
      key: rawBytes(key),
      value: rawBytes(value),
      headers: [],
    };
  });
}

/** What a person needs to see it. */
export function scriptText({ zone, script, events }: ScriptCase): string {
  const lines = events.map(
    e =>
      `  ${e.topic ?? 'tick'} ${JSON.stringify(e.key)} ${JSON.stringify(e.value)} @${e.time} clock ${e.clock}`,
  );
  return [`zone ${zone}`, script, ...lines].join('\n');
}
