import { expect, it } from 'vitest';
import { HandledCommands, withCommand } from '../../src/commands/handled-commands.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';

/** Two partitions with commands and results, a third without; says how many records were read, and after each page. */
async function handled(onPage: () => void = () => {}) {
  const log = createMemoryLog({ clock: systemClock });
  for (const name of ['commands', 'results']) log.createTopic({ name, partitions: 3, keyIndex: false });
  const command = (partition: number) => ({ topic: 'commands', partition, key: null, value: null });
  const result = (partition: number, offset: number) =>
    withCommand({ topic: 'results', partition, key: null, value: null }, { partition, offset });
  await log.append({
    records: [
      ...Array.from({ length: 5_001 }, () => command(0)),
      ...Array.from({ length: 5_000 }, (_, offset) => result(0, offset)),
      command(1),
      result(1, 0),
    ],
  }).durable;
  let read = 0;
  const counted: EventLog = Object.create(log, {
    topic: { value: (name: string) => log.topic(name) },
    readTopic: {
      value: (...of: Parameters<EventLog['readTopic']>) => {
        const page = log.readTopic(...of);
        read += page.length;
        onPage();
        return page;
      },
    },
  });
  const commands = new HandledCommands({ log: counted, commands: 'commands', topics: ['results'] });
  return { commands, log, result, command, read: () => read };
}

const { signal } = new AbortController();

it('reads each record once for all partitions, and later only what came since', async () => {
  const { commands, log, result, command, read } = await handled();
  const both = [0, 1].map(partition => commands.firstUnhandled(partition, signal));
  expect(await Promise.all(both)).toEqual([5_000, 1]);
  expect(read()).toBe(5_001);
  await log.append({ records: [command(1), result(1, 1)] }).durable;
  expect(await commands.firstUnhandled(1, signal)).toBe(2);
  expect(read()).toBe(5_002);
});

it('reads nothing for a partition that has no command', async () => {
  const { commands, read } = await handled();
  expect(await commands.firstUnhandled(2, signal)).toBe(0);
  expect(read()).toBe(0);
});

it('ends after the page at which it is told to; the next one goes on from there', async () => {
  const stopping = new AbortController();
  const { commands, read } = await handled(() => stopping.abort());
  await expect(commands.firstUnhandled(0, stopping.signal)).rejects.toBe(stopping.signal.reason);
  expect(read()).toBe(2_000);
  expect(await commands.firstUnhandled(0, signal)).toBe(5_000);
  expect(read()).toBe(5_001);
});
