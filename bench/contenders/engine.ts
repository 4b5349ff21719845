import { enableCompileCache } from 'node:module';
import { PerformanceObserver } from 'node:perf_hooks';
import { ViewRowDecoder } from '../../src/dataflow/live/view-rows.ts';
import { viewDir } from '../../src/dataflow/worker-environment.ts';
import { openViewFileReader } from '../../src/view-store/view-file.ts';
import { percentile } from '../bench.ts';
import { checkpointedReplay } from '../checkpointed-replay.ts';
import { type Contended, FRAUD_SQL, type Groups, planned, timed } from '../fraud.ts';

/** Millrace: `node bench/contenders/engine.ts <data folder> <events>`. */

export interface EngineContended extends Contended {
  /** the second half of the events, with the commit at the end */
  readonly steadyEvents: number;
  readonly steadyCpuMs: number;
  readonly stateBytes: number;
  readonly stateRows: number;
  /** pauses of the garbage collector, ms */
  readonly pauses: { readonly count: number; readonly p99: number; readonly longest: number };
}

// as `npx millrace` does, for the threads of a build
process.env.NODE_COMPILE_CACHE ??= enableCompileCache().directory;
const [dataDir = '', events = '0'] = process.argv.slice(2);
const pauses: number[] = [];
const observer = new PerformanceObserver(list => {
  for (const { duration } of list.getEntries()) pauses.push(duration);
});
observer.observe({ entryTypes: ['gc'] });

const plan = planned('fraud.sql', FRAUD_SQL);
let half = { position: 0, cpu: process.cpuUsage() };
const { result, ...spent } = await timed(() =>
  checkpointedReplay(dataDir, plan, position => {
    if (half.position === 0 && position >= Number(events) / 2) half = { position, cpu: process.cpuUsage() };
  }),
);
const { user, system } = process.cpuUsage(half.cpu);
observer.disconnect();
const contended: EngineContended = {
  contender: 'Millrace',
  events: Number(events),
  ...spent,
  ...(await storedGroups()),
  steadyEvents: Number(events) - half.position,
  steadyCpuMs: (user + system) / 1000,
  stateBytes: result.sizes.reduce((sum, s) => sum + s.bytes, 0),
  stateRows: result.sizes.reduce((sum, s) => sum + s.rows, 0),
  pauses: { count: pauses.length, p99: percentile(pauses, 0.99) || 0, longest: Math.max(0, ...pauses) },
};
process.stdout.write(`${JSON.stringify(contended)}\n`);

/** what the view's file holds: read back after the clock has stopped */
async function storedGroups(): Promise<Groups> {
  const view = plan.views.at(-1);
  if (view === undefined) throw new Error('no view');
  const reader = openViewFileReader(viewDir(dataDir, view.name));
  const decoder = new ViewRowDecoder(view);
  const names = view.root.schema.columns.map(c => c.name.toLowerCase());
  let groups = 0;
  let attempts = 0n;
  let cents = 0n;
  for (const { value } of reader.range({})) {
    const { row } = decoder.decode(value);
    groups++;
    attempts += row[names.indexOf('attempts')] as bigint;
    cents += row[names.indexOf('amount')] as bigint;
  }
  await reader.close();
  return { groups, attempts: Number(attempts), cents: Number(cents) };
}
