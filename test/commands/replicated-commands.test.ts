import { afterEach, describe, expect, it } from 'vitest';
import type {
  CommandPartitions,
  PartitionTransaction,
  PartitionWriter,
} from '../../src/commands/command-partitions.ts';
import { entityTopics, ReplicatedCommands } from '../../src/commands/replicated-commands.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { AppendRecord, EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { until } from '../until.ts';
import { bytes, counter, request } from './counter.ts';

const RESULTS = 'command-results';

/** A topic of commands with one partition. What its handler writes reaches the log as the test wants it. */
class Shared implements CommandPartitions, PartitionWriter {
  readonly #log: EventLog;
  readonly #nextOffsets = new Map<string, number>();
  /** topics whose records are held back */
  readonly held = new Set<string>();
  handled = true;
  /** what the cluster knows of the handlers' way; null: nothing */
  committed: number | null = 0;
  maxBytes = 1e6;
  closed = false;
  /** commands of each transaction */
  readonly transactions: number[] = [];
  #waiting: AppendRecord[] = [];

  constructor(log: EventLog) {
    this.#log = log;
  }

  async send(command: { readonly key: Uint8Array; readonly value: Uint8Array }): Promise<void> {
    await this.#log.append({ records: [{ topic: counter.topics.commands, ...command }] }).durable;
  }

  start(assigned: (partitions: readonly number[]) => void): void {
    if (this.handled) assigned([0]);
  }

  writer(): PartitionWriter {
    return this;
  }

  async begin(): Promise<number | null> {
    return this.committed;
  }

  async commit({ records, results }: PartitionTransaction): Promise<void> {
    const places = records.map(({ topic }) => {
      const offset = this.#nextOffsets.get(topic) ?? 0;
      this.#nextOffsets.set(topic, offset + 1);
      return { topic, partition: 0, offset };
    });
    const written = results(places);
    this.transactions.push(written.length);
    this.#waiting.push(...records, ...written);
    await this.deliver();
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  async stop(): Promise<void> {}

  async deliver(): Promise<void> {
    const come = this.#waiting.filter(r => !this.held.has(r.topic));
    this.#waiting = this.#waiting.filter(r => this.held.has(r.topic));
    if (come.length > 0) await this.#log.append({ records: come }).durable;
  }
}

let close: () => Promise<void> = async () => {};

afterEach(() => close());

function start(options: {
  cacheSize?: number;
  maxPending?: number;
  answerWithin?: number;
  handled?: boolean;
  maxBytes?: number;
}) {
  const { handled = true, maxBytes = 1e6, ...limits } = options;
  const log = createMemoryLog({ clock: systemClock });
  const partitions = new Shared(log);
  partitions.handled = handled;
  partitions.maxBytes = maxBytes;
  const errors: unknown[] = [];
  const commands = new ReplicatedCommands({
    log,
    entity: counter,
    partitions,
    onError: error => errors.push(error),
    ...limits,
  });
  close = () => commands.close();
  return { log, partitions, commands, errors };
}

describe('commands whose topics live elsewhere', () => {
  it('pass by what others write to the topic of results, and tell it', async () => {
    const { log, commands, errors } = start({});
    const foreign = (value: string, header?: string): AppendRecord => ({
      topic: RESULTS,
      key: bytes('x'),
      value: bytes(value),
      headers: header === undefined ? [] : [{ name: 'millrace-written', value: bytes(header) }],
    });
    await log.append({
      records: [
        foreign('hello'),
        foreign('{}', 'no places'),
        foreign('{}', '{"a":1}'),
        foreign('{}', '[["counter-events","0",0,1]]'),
        foreign('{}', '[["counter-events",7,0,1]]'),
      ],
    }).durable;
    expect(await commands.submit(request('a', { by: 2 }))).toMatchObject({ status: 'accepted', version: 1 });
    expect(errors.length).toBeGreaterThanOrEqual(4);
  });

  it('are decided on what was committed, also where results come before events and memory is small', async () => {
    const { log, commands, partitions } = start({ cacheSize: 1 });
    partitions.held.add(counter.topics.events).add(counter.topics.snapshots);
    const sent = ['a', 'b', 'c'].map(id => commands.submit(request(id, { by: 1 })));
    await until('all are decided', () => log.topic(RESULTS)?.records === 3);
    const again = commands.submit(request('a', { by: 1 }));
    await until('it is sent', () => log.topic(counter.topics.commands)?.records === 4);
    await log.append({ records: [] }).durable; // the handler has looked
    partitions.held.clear();
    await partitions.deliver();
    await Promise.all(sent);
    expect(await again).toMatchObject({ status: 'accepted', version: 2 });
  });

  it('are written in transactions that are not too large; one that is too large alone is rejected', async () => {
    const { commands, partitions } = start({ maxBytes: 1_000 });
    const small = (n: number) => ({ commandId: `small-${n}` });
    const sent = [0, 1, 2, 3, 4, 5, 6, 7].map(n => commands.submit(request('a', { by: 1 }, small(n))));
    for (const [i, result] of (await Promise.all(sent)).entries()) expect(result.version).toBe(i + 1);
    expect(Math.max(...partitions.transactions)).toBeLessThanOrEqual(4);
    partitions.maxBytes = 100;
    const large = await commands.submit(request('a', { by: 1 }));
    expect(large).toMatchObject({ status: 'rejected', error: { code: 'record_too_large' }, version: null });
    partitions.maxBytes = 1_000;
    expect(await commands.submit(request('a', { by: 1 }))).toMatchObject({ version: 9 });
  });

  it('are not handled again when the cluster has forgotten how far they were, and their results are gone', async () => {
    const log = createMemoryLog({ clock: systemClock });
    const node = (keepResultsFor: number) => {
      const partitions = new Shared(log);
      partitions.committed = null;
      const errors: unknown[] = [];
      const onError = (error: unknown) => errors.push(error);
      const commands = new ReplicatedCommands({ log, entity: counter, partitions, keepResultsFor, onError });
      close = () => commands.close();
      return { commands, errors };
    };
    const first = node(0);
    for (const by of [1, 2, 3]) await first.commands.submit(request('a', { by }));
    await first.commands.close();
    await (await log.trim({ topic: RESULTS, before: log.end(), by: 'age' })).reclaimed;
    // one that was sent while nobody was there
    const value = bytes('{"type":"Add","commandId":"late","data":{"by":4}}');
    await log.append({ records: [{ topic: counter.topics.commands, key: bytes('a'), value }] }).durable;
    const second = node(0);
    const result = await second.commands.submit(request('a', { by: 5 }));
    expect([result.version, second.errors]).toEqual([5, []]);
    expect(log.topic(counter.topics.events)?.records).toBe(5);
  });

  it('are not passed over where their topic was made anew: it is told once, with what to do', async () => {
    const { log, commands, partitions, errors } = start({});
    for (const by of [1, 2]) await commands.submit(request('a', { by }));
    await commands.close();
    const anew = createMemoryLog({ clock: systemClock });
    for (const { name, keyIndex } of entityTopics(counter, RESULTS)) {
      anew.createTopic({ name, partitions: 1, keyIndex });
    }
    const kept = log
      .lastRecords(RESULTS, 1)
      .map(({ topic, key, value, headers }) => ({ topic, key, value, headers }));
    const value = bytes('{"type":"Add","data":{"by":3}}');
    const waiting = { topic: counter.topics.commands, key: bytes('a'), value };
    await anew.append({ records: [...kept, waiting] }).durable;
    const other = new Shared(anew);
    other.committed = null;
    const node = new ReplicatedCommands({
      log: anew,
      entity: counter,
      partitions: other,
      onError: error => errors.push(error),
    });
    close = () => node.close();
    await until('its handler has ended', () => other.closed);
    expect(errors).toMatchObject([{ code: 'config_invalid', hint: expect.stringContaining('reset') }]);
    expect([partitions.transactions, other.transactions]).toEqual([[1, 1], []]);
  });

  it('are waited for no longer than is promised: those that nobody handles do not take the place of others', async () => {
    const { log, commands } = start({ handled: false, maxPending: 1, answerWithin: 20 });
    const late = { commandId: 'late' };
    await expect(commands.submit(request('a', { by: 1 }, late))).rejects.toMatchObject({
      code: 'result_pending',
    });
    expect(commands.result('late')).toBe('pending');
    await commands.enqueue(request('b', { by: 1 }, { commandId: 'queued' }));
    await expect(commands.enqueue(request('c', { by: 1 }))).rejects.toMatchObject({ code: 'overloaded' });
    await until('there is room again', () =>
      commands.enqueue(request('c', { by: 1 })).then(
        () => true,
        () => false,
      ),
    );
    expect(log.topic(counter.topics.commands)?.records).toBe(3);
  });
});
