import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { startCounterNode } from './counter-node.ts';

/** A node of the counter: `counter-child.ts <folder> <broker> <name> <session timeout>`. It is killed by the test. */
const [dir = '', broker = '', name = '', sessionTimeout = ''] = process.argv.slice(2);
const log = await openEmbeddedLog({ dir, clock: systemClock, sealAfter: 32_768 });
startCounterNode(log, { brokers: [broker], clientId: name, tls: null, sasl: null, exclude: [] }, name, {
  sessionTimeout: Number(sessionTimeout),
});
