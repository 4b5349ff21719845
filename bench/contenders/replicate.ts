import { systemClock } from '../../src/core/clock.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { Replicator } from '../../src/kafka/replicator.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';

/** Copies a topic of Kafka into a new log: `node bench/contenders/replicate.ts <data folder> <broker> <topic> <records>`. */

export interface Replicated {
  /** until all is on the disk */
  readonly ms: number;
  readonly cpuMs: number;
  /** what the process held when a tenth was copied, and at most */
  readonly earlyMiB: number;
  readonly peakMiB: number;
}

const MIB = 2 ** 20;
const [dataDir = '', broker = '', topic = '', count = '0'] = process.argv.slice(2);
const records = Number(count);
const log = await openEmbeddedLog({ dir: logDir(dataDir), clock: systemClock, sealAfter: 32_768 });
const all = Promise.withResolvers<void>();
let earlyMiB = 0;
log.onFlushed(end => {
  if (earlyMiB === 0 && end >= records / 10) earlyMiB = process.memoryUsage.rss() / MIB;
  if (end >= records) all.resolve();
});
const replicator = new Replicator({
  log,
  settings: { brokers: [broker], clientId: 'bench', tls: null, sasl: null, exclude: [] },
  clock: systemClock,
  wanted: () => new Set([topic]),
  report: text => process.stderr.write(`${text}\n`),
});
const cpu = process.cpuUsage();
const begun = performance.now();
replicator.start();
await all.promise;
const ms = performance.now() - begun;
const { user, system } = process.cpuUsage(cpu);
const peakMiB = process.resourceUsage().maxRSS / 1024;
await replicator.stop();
await log.seal();
await log.close();
const replicated: Replicated = { ms, cpuMs: (user + system) / 1000, earlyMiB, peakMiB };
process.stdout.write(`${JSON.stringify(replicated)}\n`);
