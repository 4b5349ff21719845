import { expect, test } from 'vitest';
import type { Command } from '../../src/commands/command.ts';
import { EntityStore } from '../../src/commands/entity-store.ts';
import type { EntityType } from '../../src/commands/entity-type.ts';
import type { EventLog } from '../../src/log/event-log.ts';

const CAPACITY = 2_000;

/** A store over a log that holds nothing, and which entities it has read from it. */
function setUp(capacity = CAPACITY) {
  const read: string[] = [];
  const log = {
    lastByKey: (_topic: string, key: Uint8Array) => {
      read.push(Buffer.from(key).toString());
      return null;
    },
    byKey: () => [],
  } as unknown as EventLog;
  const entity = {
    topics: { commands: 'c', events: 'e', snapshots: 's' },
    decider: { initial: 0 },
  } as unknown as EntityType<Command, never, number>;
  const store = new EntityStore(log, entity, capacity);
  const command = (entityId: string): void => {
    const { state, version } = store.load(entityId);
    store.keep(entityId, { state: state + 1, version: version + 1 });
    store.trim();
  };
  return { store, read, command };
}

test('an entity that several commands are for stays in memory while thousands come for a single one', () => {
  const { store, read, command } = setUp();
  command('often');
  command('often');
  for (let i = 0; i < 10_000; i++) command(`once-${i}`);
  expect(store.load('often')).toEqual({ state: 2, version: 2 });
  expect(read.filter(id => id === 'often')).toHaveLength(1);
});

test('that holds for a small store too', () => {
  const { read, command } = setUp(100);
  command('often');
  for (let i = 0; i < 1_000; i++) {
    command('often');
    command(`once-${i}`);
  }
  expect(read.filter(id => id === 'often')).toHaveLength(1);
});

test('a look before the command reads nothing twice and counts as the same', () => {
  const { store, read, command } = setUp();
  for (let i = 0; i < 10_000; i++) {
    store.look(`id-${i}`);
    command(`id-${i}`);
  }
  expect(read).toHaveLength(10_000);
  expect(store.size).toBeLessThan(CAPACITY / 2);
});

test('entities of a single command make room for each other, the newest stay', () => {
  const { store, read, command } = setUp();
  for (let i = 0; i < 10_000; i++) command(`once-${i}`);
  expect(store.size).toBeLessThan(CAPACITY / 2);
  command('once-9999');
  command('once-0');
  expect(read.filter(id => id === 'once-9999')).toHaveLength(1);
  expect(read.filter(id => id === 'once-0')).toHaveLength(2);
});

test('never more entities are kept than the capacity says', () => {
  const { store, command } = setUp();
  for (let round = 0; round < 2; round++) for (let i = 0; i < 10_000; i++) command(`id-${i % 400}-${i >> 3}`);
  for (let i = 0; i < 10_000; i++) {
    command(`twice-${i}`);
    command(`twice-${i}`);
  }
  expect(store.size).toBeLessThanOrEqual(CAPACITY);
});
