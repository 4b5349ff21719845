import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/commands/command-result.ts';
import { CommandRuntime, type CommandRuntimeOptions } from '../../src/commands/command-runtime.ts';
import type { BusEvent } from '../../src/commands/commands.ts';
import { ManualClock } from '../../src/core/clock.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { type Add, type Added, bytes, counter, request, text } from './counter.ts';

/** What commands mean on any log stands in test/contract; here is what the runtime on a log of its own does beyond that. */
type Options = Partial<CommandRuntimeOptions<Add, Added, number>>;

function setUp(options: Options = {}) {
  const clock = new ManualClock(1_000);
  const log = createMemoryLog({ clock });
  return { clock, log, ...start(log, options) };
}

function start(log: EventLog, options: Options = {}) {
  const errors: unknown[] = [];
  const runtime = new CommandRuntime({ log, entity: counter, onError: e => errors.push(e), ...options });
  return { runtime, errors };
}

const events = (log: EventLog, id: string) =>
  log.byKey('counter-events', bytes(id)).map(r => JSON.parse(text(r.value)));

describe('a command', () => {
  test('is answered with its events, the version and a position behind all that it wrote', async () => {
    const { log, runtime } = setUp();
    const result = await runtime.submit(request('a', { by: 5 }, { commandId: 'c-1', origin: 'tab' }));
    expect(result).toEqual({
      commandId: 'c-1',
      type: 'Add',
      entity: 'counter',
      entityId: 'a',
      origin: 'tab',
      status: 'accepted',
      error: null,
      events: [{ type: 'Added', version: 1, by: 5 }],
      version: 1,
      at: 1_000,
      position: log.end(),
    });
    expect(log.topics().map(t => [t.name, t.records])).toEqual([
      ['counter-commands', 1],
      ['counter-events', 1],
      ['counters', 1],
      ['command-results', 1],
    ]);
    expect(text(log.lastByKey('counters', bytes('a'))?.value)).toBe('{"state":5,"version":1}');
  });

  test.each([
    ['unknown_command', request('a', { by: 1 }, { type: 'Multiply' })],
    ['command_invalid', request('a', { by: 'many' })],
    ['command_invalid', request('a', { by: 1, too: 2 })],
    ['command_invalid', request('a b', { by: 1 })],
  ])('that cannot be understood is refused before it is appended: %s', async (code, wrong) => {
    const { log, runtime } = setUp();
    await expect(runtime.submit(wrong)).rejects.toThrow(expect.objectContaining({ code }));
    expect(log.end()).toBe(0);
  });

  test('too many that wait are told so, and the log is left alone', async () => {
    const { log, runtime } = setUp({ maxPending: 2 });
    const first = [runtime.submit(request('a', { by: 1 })), runtime.submit(request('a', { by: 1 }))];
    await expect(runtime.submit(request('a', { by: 1 }))).rejects.toThrow(
      expect.objectContaining({ code: 'overloaded' }),
    );
    expect(await Promise.all(first)).toHaveLength(2);
    expect(events(log, 'a')).toHaveLength(2);
  });
});

describe('law 4, a command counts once: an id that was seen before', () => {
  test('is forgotten after the configured time', async () => {
    const { log, clock, runtime } = setUp({ keepResultsFor: 60_000 });
    await runtime.submit(request('a', { by: 1 }, { commandId: 'c' }));
    clock.advance(59_999);
    await runtime.submit(request('b', { by: 1 }));
    await runtime.submit(request('a', { by: 1 }, { commandId: 'c' }));
    expect(events(log, 'a')).toHaveLength(1);
    clock.advance(1);
    await runtime.submit(request('b', { by: 1 }));
    expect(runtime.result('c')).toBeNull();
    await runtime.submit(request('a', { by: 1 }, { commandId: 'c' }));
    expect(events(log, 'a')).toHaveLength(2);
  });
});

describe('records that others put into the commands topic', () => {
  const put = (log: EventLog, value: string | null, key: string | null = 'a') =>
    log.append({
      records: [
        {
          topic: 'counter-commands',
          key: key === null ? null : bytes(key),
          value: value === null ? null : bytes(value),
        },
      ],
    });

  test('that cannot be decoded are rejected under the name of their place, and stop nothing', async () => {
    const { log, runtime } = setUp();
    const heard: CommandResult[] = [];
    runtime.onResult(null, r => heard.push(r));
    for (const value of ['{', '[]', '{"type":"Add","data":{}}', '{"type":"Nothing"}', null]) put(log, value);
    put(log, '{"type":"Add","data":{"by":1}}', null);
    const last = await runtime.submit(request('a', { by: 1 }));
    expect(last.status).toBe('accepted');
    expect(heard.slice(0, 6).map(r => [r.commandId, r.error?.code])).toEqual([
      ['counter-commands-0-0', 'command_invalid'],
      ['counter-commands-0-1', 'command_invalid'],
      ['counter-commands-0-2', 'command_invalid'],
      ['counter-commands-0-3', 'unknown_command'],
      ['counter-commands-0-4', 'command_invalid'],
      ['counter-commands-0-5', 'command_invalid'],
    ]);
    expect(heard[2]?.error?.fields).toEqual([{ path: 'by', code: 'missing', message: 'by is missing' }]);
    expect(events(log, 'a')).toHaveLength(1);
  });

  test('are taken up at the next start when nobody handled them', async () => {
    const { log, runtime } = setUp();
    await runtime.submit(request('a', { by: 1 }));
    runtime.close();
    put(log, '{"type":"Add","commandId":"left","data":{"by":10}}');
    put(log, '{"type":"Add","commandId":"left","data":{"by":10}}');
    const next = start(log).runtime;
    expect(next.result('left')).toBe('pending');
    await log.append({ records: [] }).durable;
    expect(next.result('left')).toMatchObject({ version: 2 });
    expect((await next.submit(request('a', { by: 2 }))).version).toBe(3);
    expect(events(log, 'a').map(e => e.by)).toEqual([1, 10, 2]);
  });
});

describe('the state of an entity', () => {
  test('is found from its snapshot and the events after it when memory does not hold it', async () => {
    const { log, runtime } = setUp({ cacheSize: 1, snapshotEvery: 3 });
    for (let i = 1; i <= 8; i++) {
      await runtime.submit(request('a', { by: 1 }));
      await runtime.submit(request('b', { by: 10 }));
    }
    expect((await runtime.submit(request('a', { by: -9 }))).error?.message).toBe('8 is too little');
    expect(log.topic('counters')?.records).toBe(4);
  });
});

describe('listeners', () => {
  test('hear the results of their origin and the events of their entity, each once', async () => {
    const { log, runtime, errors } = setUp();
    const mine: string[] = [];
    const all: string[] = [];
    const heard: BusEvent[] = [];
    const stop = runtime.onResult('me', r => mine.push(r.commandId));
    runtime.onResult(null, r => all.push(r.commandId));
    runtime.onResult('me', () => {
      throw new Error('a listener breaks');
    });
    runtime.onEvent('a', e => heard.push(e));
    await runtime.submit(request('a', { by: 1 }, { commandId: '1', origin: 'me' }));
    await runtime.submit(request('b', { by: 1 }, { commandId: '2', origin: 'you' }));
    stop();
    await runtime.submit(request('a', { by: 2 }, { commandId: '3', origin: 'me' }));
    expect(mine).toEqual(['1']);
    expect(all).toEqual(['1', '2', '3']);
    expect(heard.map(e => [e.entityId, e.event.version, e.commandId])).toEqual([
      ['a', 1, '1'],
      ['a', 2, '3'],
    ]);
    for (const { seq, event } of heard) expect(JSON.parse(text(log.record(seq)?.value))).toEqual(event);
    expect(errors).toHaveLength(2);
  });

  test('a result is not told before it is durable', async () => {
    const { runtime } = setUp();
    const { durable } = runtime.handleAt(request('a', { by: 1 }, { commandId: 'c' }), 2_000);
    expect(runtime.result('c')).toBe('pending');
    await durable;
    expect(runtime.result('c')).toMatchObject({ status: 'accepted' });
  });
});

test('a handler without work passes by what other topics hold, so that its next start does not read it again', async () => {
  const { log, runtime } = setUp();
  log.createTopic({ name: 'visits', partitions: 1, keyIndex: false });
  await runtime.submit(request('a', { by: 1 }));
  const position = () => log.position('commands/counter-commands') ?? 0;
  const handled = position();
  const visit = { topic: 'visits', key: null, value: bytes('x') };
  await log.append({ records: Array.from({ length: 60_000 }, () => visit) }).durable;
  expect(position()).toBe(handled);
  const { end, durable } = log.append({ records: Array.from({ length: 60_000 }, () => visit) });
  await durable;
  expect(position()).toBe(end);
  expect((await runtime.submit(request('a', { by: 2 }))).version).toBe(2);
});

test('a history is laid down at the times that are given', () => {
  const { log, runtime } = setUp();
  const { result } = runtime.handleAt(request('a', { by: 1 }), 2_000);
  runtime.handleAt(request('a', { by: 1 }), 3_000);
  expect(result).toMatchObject({ at: 2_000, version: 1 });
  expect(log.lastRecords('counter-events', 9).map(r => [r.timestamp, r.appendTime])).toEqual([
    [2_000, 2_000],
    [3_000, 3_000],
  ]);
});
