import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { counter, request } from './counter.ts';

/** Sends commands without end, some twice, and prints the id of each that is acknowledged: to be killed. */
const dir = process.argv[2] ?? '';
const log = await openEmbeddedLog({ dir, clock: systemClock });
const runtime = new CommandRuntime({ log, entity: counter, onError: e => console.error(e) });

for (let i = 0; ; ) {
  const group = Array.from({ length: 20 }, () => {
    const commandId = `c-${i++}`;
    const send = () => runtime.submit(request(`e-${i % 7}`, { by: 1 }, { commandId }));
    return Promise.all([send(), send()]).then(() => process.stdout.write(`${commandId}\n`));
  });
  await Promise.race(group);
}
