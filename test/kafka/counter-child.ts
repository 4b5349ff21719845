import { entityTopics } from '../../src/commands/replicated-commands.ts';
import { systemClock } from '../../src/core/clock.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { counterNamed, startCounterNode } from './counter-node.ts';

/**
 * A node of the counter, with views where a folder of them is named:
 * `counter-child.ts <folder> <broker> <name> <session timeout> [views]`. It is killed by the test.
 */
const [dir = '', broker = '', name = '', sessionTimeout = '', viewsDir] = process.argv.slice(2);
const log = await openEmbeddedLog({ dir: logDir(dir), clock: systemClock, sealAfter: 32_768 });
// as in a server: who takes part in a group must not stand still while it starts
if (viewsDir !== undefined) {
  const { entity, resultsTopic } = counterNamed(name);
  for (const topic of entityTopics(entity, resultsTopic)) {
    if (log.topic(topic.name) === null) log.createTopic({ ...topic, partitions: 1 });
  }
  const { startCounterViews } = await import('./counter-views.ts');
  await startCounterViews(log, dir, viewsDir);
}
startCounterNode(log, { brokers: [broker], clientId: name, tls: null, sasl: null, exclude: [] }, name, {
  sessionTimeout: Number(sessionTimeout),
});
