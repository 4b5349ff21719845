import { describe, expect, test } from 'vitest';
import {
  createReaction,
  type Reaction,
  type RetryPolicy,
  type ViewChange,
} from '../../src/commands/reaction.ts';
import type { Items } from '../../src/commands/reaction-source.ts';
import { Reactions, type ReactionsOptions } from '../../src/commands/reactions.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { type ErrorCode, MillraceError } from '../../src/core/errors.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { bytes, text } from './counter.ts';

function newLog(): EventLog {
  const log = createMemoryLog({ clock: new ManualClock(1_000) });
  log.createTopic({ name: 'mails', partitions: 1, keyIndex: false });
  log.createTopic({ name: 'noise', partitions: 1, keyIndex: false });
  return log;
}

const put = (log: EventLog, value: string, topic = 'mails') =>
  log.append({ records: [{ topic, key: null, value: bytes(value) }] });

/** Notes what it handles; `reached` resolves when it has handled so many. */
function recorder(fail: (value: string, attempt: number) => boolean = () => false) {
  const handled: string[] = [];
  const keys: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const reaction = (from?: 'now' | 'beginning', retry?: Partial<RetryPolicy>): Reaction =>
    createReaction({
      name: 'recorder',
      topic: 'mails',
      from,
      retry,
      handle(record, { idempotencyKey, attempt }) {
        const value = text(record.value);
        if (fail(value, attempt)) throw new Error(`no ${value}`);
        handled.push(value);
        keys.push(idempotencyKey);
        for (const w of waiting) if (handled.length >= w.count) w.resolve();
      },
    });
  const reached = (count: number) =>
    new Promise<void>(resolve => {
      if (handled.length >= count) resolve();
      else waiting.push({ count, resolve });
    });
  return { handled, keys, reaction, reached };
}

function start(log: EventLog, reaction: Reaction, more: Partial<ReactionsOptions> = {}) {
  const waits: number[] = [];
  const wait = async (ms: number) => {
    waits.push(ms);
  };
  const reactions = new Reactions({ log, reactions: [reaction], wait, ...more });
  reactions.start();
  return { reactions, waits };
}

describe('a reaction on a topic', () => {
  test('begins now, unless it asks for the beginning', async () => {
    const log = newLog();
    put(log, 'old');
    const fromNow = recorder();
    const { reactions } = start(log, fromNow.reaction());
    put(log, 'noise', 'noise');
    put(log, 'new');
    await fromNow.reached(1);
    await reactions.stop();
    expect(fromNow.handled).toEqual(['new']);

    const fromBeginning = recorder();
    const other = newLog();
    put(other, 'old');
    const { reactions: second } = start(other, fromBeginning.reaction('beginning'));
    await fromBeginning.reached(1);
    await second.stop();
    expect(fromBeginning.handled).toEqual(['old']);
  });

  test('goes on at its own position in the next process', async () => {
    const log = newLog();
    const first = recorder();
    const { reactions } = start(log, first.reaction());
    put(log, '1');
    await first.reached(1);
    await reactions.stop();
    put(log, '2');
    put(log, '3');
    const second = recorder();
    const next = start(log, second.reaction('beginning')).reactions;
    await second.reached(2);
    await next.stop();
    expect(second.handled).toEqual(['2', '3']);
    expect(log.position('reaction/recorder')).toBe(3);
  });

  test('makes its position durable when it stops, and now and then while no record is for it', async () => {
    const log = newLog();
    const { reaction } = recorder();
    const { reactions } = start(log, reaction());
    const passed = async (position: number) => {
      while (reactions.status()[0]?.position !== position)
        await new Promise(resolve => setImmediate(resolve));
    };
    await put(log, 'noise', 'noise').durable;
    await passed(1);
    expect(log.position('reaction/recorder')).toBe(0);
    await reactions.stop();
    expect(log.position('reaction/recorder')).toBe(1);

    reactions.start();
    const noise = { topic: 'noise', key: null, value: bytes('') };
    log.append({ records: Array.from({ length: 70_000 }, () => noise) });
    await passed(70_001);
    expect(log.position('reaction/recorder')).toBeGreaterThan(60_000);
    await reactions.stop();
  });

  test('leaves the event loop its turns while it is far behind', async () => {
    const log = newLog();
    const noise = { topic: 'noise', key: null, value: bytes('') };
    log.append({ records: Array.from({ length: 50_000 }, () => noise) });
    put(log, 'last');
    const { reaction, reached } = recorder();
    const { reactions } = start(log, reaction('beginning'));
    let turns = 0;
    const turn = (): void => {
      turns++;
      again = setImmediate(turn);
    };
    let again = setImmediate(turn);
    await reached(1);
    clearImmediate(again);
    expect(turns).toBeGreaterThan(5);
    await reactions.stop();
  });

  test('is called again after a failure, ever later, and in order', async () => {
    const log = newLog();
    const { handled, reaction, reached, keys } = recorder((value, attempt) => value === '2' && attempt < 5);
    const { reactions, waits } = start(log, reaction('now', { first: 100, longest: 500 }));
    for (const value of ['1', '2', '3']) put(log, value);
    await reached(3);
    await reactions.stop();
    expect(handled).toEqual(['1', '2', '3']);
    expect(waits).toEqual([100, 200, 400, 500]);
    expect(keys).toEqual(['recorder/mails/0', 'recorder/mails/1', 'recorder/mails/2']);
  });

  test('sets an item aside after so many attempts, if it is told to', async () => {
    const log = newLog();
    const { handled, reaction, reached } = recorder(value => value === 'bad');
    const { reactions } = start(log, reaction('now', { attempts: 3 }));
    for (const value of ['bad', 'good']) put(log, value);
    await reached(1);
    await reactions.stop();
    expect(handled).toEqual(['good']);
    const [failure] = log.lastRecords('reaction-failures', 1);
    expect(JSON.parse(text(failure?.value))).toEqual({
      reaction: 'recorder',
      seq: 0,
      idempotencyKey: 'recorder/mails/0',
      message: 'no bad',
    });
    expect(reactions.status()).toMatchObject([{ handled: 1, setAside: 1, failure: null, state: 'stopped' }]);
  });

  test('that fails shows why, and its item comes again in the next process', async () => {
    const log = newLog();
    const failing = recorder(() => true);
    const tried = Promise.withResolvers<void>();
    const { reactions } = start(log, failing.reaction(), {
      wait: (_, signal) =>
        new Promise(resolve => {
          tried.resolve();
          signal.addEventListener('abort', () => resolve());
        }),
    });
    put(log, '1');
    await tried.promise;
    expect(reactions.status()).toMatchObject([
      { name: 'recorder', state: 'retrying', failure: { message: 'no 1', attempts: 1 }, behind: 1 },
    ]);
    await reactions.stop();
    const mended = recorder();
    const next = start(log, mended.reaction()).reactions;
    await mended.reached(1);
    await next.stop();
    expect(mended.handled).toEqual(['1']);
  });
});

test('a reaction on a view keeps the changes of one sequence together', async () => {
  const log = newLog();
  const change = (seq: number, key: string): ViewChange => ({ view: 'v', seq, key, row: { key } });
  const asked: number[] = [];
  const views = {
    async *follow(_view: string, from: number, signal: AbortSignal): AsyncGenerator<Items<ViewChange>> {
      asked.push(from);
      const changes = [change(4, 'a'), change(4, 'b'), change(7, 'a')].filter(c => c.seq >= from);
      yield { items: changes, next: 8 };
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
    },
  };
  const seen: string[] = [];
  const stopping = (stopAt: string) => {
    const done = Promise.withResolvers<void>();
    const reaction = createReaction({
      name: 'on-view',
      view: 'v',
      from: 'beginning',
      handle(change, { idempotencyKey }) {
        if (idempotencyKey === stopAt) {
          done.resolve();
          throw new Error('stop here');
        }
        seen.push(idempotencyKey);
        if (change.seq === 7) done.resolve();
      },
    });
    return { reaction, done: done.promise };
  };
  const hang = (_: number, signal: AbortSignal) =>
    new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
  const first = stopping('on-view/v/b/4');
  const { reactions } = start(log, first.reaction, { views, wait: hang });
  await first.done;
  await reactions.stop();
  const second = stopping('never');
  const next = start(log, second.reaction, { views }).reactions;
  await second.done;
  await next.stop();
  expect(asked).toEqual([0, 0]);
  expect(seen).toEqual(['on-view/v/a/4', 'on-view/v/a/4', 'on-view/v/b/4', 'on-view/v/a/7']);
});

test('a reaction waits for a view that is being built at an even pace, ever longer for one that cannot be followed', async () => {
  const log = newLog();
  const fails: ErrorCode[] = [
    'view_building',
    'view_building',
    'view_building',
    'view_failed',
    'view_failed',
  ];
  const views = {
    async *follow(view: string, from: number, signal: AbortSignal): AsyncGenerator<Items<ViewChange>> {
      const code = fails.shift();
      if (code) throw new MillraceError(code, 'not now');
      yield { items: [{ view, seq: from, key: 'a', row: null }], next: from + 1 };
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()));
    },
  };
  const done = Promise.withResolvers<void>();
  const reaction = createReaction({
    name: 'on-view',
    view: 'v',
    retry: { first: 100, longest: 10_000 },
    handle: () => done.resolve(),
  });
  const { reactions, waits } = start(log, reaction, { views });
  await done.promise;
  await reactions.stop();
  expect(waits).toEqual([100, 100, 100, 800, 1_600]);
});
