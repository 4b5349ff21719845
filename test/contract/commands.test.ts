import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { bytes, counter } from '../commands/counter.ts';
import { type CommandsUnderTest, commandsContract, type NodeOptions } from './commands.contract.ts';

async function on(log: EventLog, dispose: () => Promise<void>): Promise<CommandsUnderTest> {
  return {
    entity: counter,
    resultsTopic: 'command-results',
    async open(options: NodeOptions = {}) {
      const errors: unknown[] = [];
      const commands = new CommandRuntime({ log, entity: counter, onError: e => errors.push(e), ...options });
      return { commands, log, errors, close: async () => commands.close() };
    },
    async put(value, key = 'a') {
      const record = {
        topic: 'counter-commands',
        key: key === null ? null : bytes(key),
        value: value === null ? null : bytes(value),
      };
      await log.append({ records: [record] }).durable;
    },
    dispose,
  };
}

commandsContract('memory log', async () => {
  const log = createMemoryLog({ clock: systemClock });
  return on(log, () => log.close());
});

commandsContract('embedded log', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-commands-'));
  const log = await openEmbeddedLog({ dir, clock: systemClock });
  return on(log, async () => {
    await log.close();
    rmSync(dir, { recursive: true });
  });
});
