import { systemClock } from '../../src/core/clock.ts';
import { Replicator } from '../../src/kafka/replicator.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';

/** A node that only copies: `replicator-child.ts <folder> <broker> <topic>...`. It is killed by the test. */
const [dir = '', broker = '', ...topics] = process.argv.slice(2);
const log = await openEmbeddedLog({ dir, clock: systemClock, sealAfter: 4_096 });
// what is flushed is told: after the kill it must be there as it was
log.onFlushed(end => process.stdout.write(`${end}\n`));
new Replicator({
  log,
  settings: { brokers: [broker], clientId: 'child', tls: null, sasl: null, exclude: [] },
  clock: systemClock,
  wanted: () => new Set(topics),
  report: text => process.stderr.write(`${text}\n`),
  lookEvery: 200,
}).start();
