import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';
import type { LogReader } from '../../src/log/event-log.ts';
import { planned } from '../fraud.ts';
import { NEXMARK_QUERIES, type NexmarkQuery } from '../nexmark/queries.ts';

/** A query of Nexmark, and JSON.parse of what it reads: `node bench/contenders/nexmark-query.ts <data folder> <query> <least events>`. */

export interface NexmarkContended {
  readonly query: string;
  /** records of the topics that it reads */
  readonly events: number;
  readonly ms: number;
  readonly parseMs: number;
  /** changes of the view */
  readonly changes: number;
  readonly stateBytes: number;
  /** most memory that the process held at any time */
  readonly peakMiB: number;
}

const EPOCH = 16_384;

function parse(log: LogReader, { topics }: NexmarkQuery): { readonly ms: number; readonly events: number } {
  const begun = performance.now();
  let events = 0;
  for (const block of log.scan(0, undefined, EPOCH)) {
    const bytes = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.byteLength);
    const wanted = block.topics.map(topic => topics.includes(topic));
    for (let i = 0; i < block.n; i++) {
      if (!wanted[block.topic[i] as number]) continue;
      if (JSON.parse(bytes.toString('utf8', block.valueStart[i], block.valueEnd[i])) !== null) events++;
    }
  }
  return { ms: performance.now() - begun, events };
}

function run(
  log: LogReader,
  query: NexmarkQuery,
): Pick<NexmarkContended, 'ms' | 'changes' | 'stateBytes' | 'peakMiB'> {
  const plan = planned(`${query.name}.sql`, query.sql);
  const engine = createEngine({
    plan,
    functions: standardLibrary,
    zone: 'UTC',
    writesTopic: () => false,
  });
  let changes = 0;
  const begun = performance.now();
  for (const block of log.scan(0, undefined, EPOCH)) {
    for (const batches of engine.step(block).changes.values()) {
      for (const batch of batches) changes += batch.sel?.length ?? batch.n;
    }
  }
  const ms = performance.now() - begun;
  const stateBytes = engine.stateSize().reduce((sum, { bytes }) => sum + bytes, 0);
  return { ms, changes, stateBytes, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

if (import.meta.main) {
  const [dataDir = '', name = '', least = '0'] = process.argv.slice(2);
  const query = NEXMARK_QUERIES.find(q => q.name === name);
  if (query === undefined) throw new Error(`no query ${name}`);
  const log = openLogReader(logDir(dataDir));
  const result = run(log, query);
  // after it: the garbage of what it parses must not count as memory of the query
  const { ms: parseMs, events } = parse(log, query);
  if (events < Number(least)) throw new Error(`only ${events} events for ${name}`);
  if (result.changes === 0) throw new Error(`${name} gave nothing`);
  const contended: NexmarkContended = { query: name, events, ...result, parseMs };
  process.stdout.write(`${JSON.stringify(contended)}\n`);
  await log.close();
}
