import { layDownSample } from '../../pipelines/sample/sample-history.ts';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { systemClock } from '../../src/core/clock.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';

/** Lays down the sample and prints each step of progress: to be killed. */
const [dir = '', until = '0'] = process.argv.slice(2);
const log = await openEmbeddedLog({ dir, clock: systemClock });
const commands = new CommandRuntime({ log, entity: invoiceEntity, onError: e => console.error(e) });
await layDownSample({
  log,
  commands,
  until: Number(until),
  seed: 1,
  onProgress: done => process.stdout.write(`${done}\n`),
});
