import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StateTableState } from '../../src/state/state-section.ts';
import { StateTable } from '../../src/state/state-table.ts';

const utf8 = new TextEncoder();

/** A table with one f64 column beside a Map that must agree with it. */
class Pair {
  readonly model = new Map<string, number>();
  table = new StateTable();
  column = this.table.column('f64');

  put(prefix: number, key: string, value: number): void {
    const bytes = utf8.encode(key);
    const slot = this.table.slot(prefix, bytes, 0, bytes.length);
    expect(this.table.index.isNew).toBe(!this.model.has(`${prefix}/${key}`));
    this.column.f64[slot] = value;
    this.model.set(`${prefix}/${key}`, value);
  }

  /** A key that is not there, without looking for it. */
  append(prefix: number, key: string, value: number): void {
    if (this.model.has(`${prefix}/${key}`)) return;
    const bytes = utf8.encode(key);
    const slot = this.table.append(prefix, bytes, 0, bytes.length);
    this.column.f64[slot] = value;
    this.model.set(`${prefix}/${key}`, value);
  }

  drop(prefix: number, key: string): void {
    const bytes = utf8.encode(key);
    const slot = this.table.find(prefix, bytes, 0, bytes.length);
    expect(slot >= 0).toBe(this.model.delete(`${prefix}/${key}`));
    if (slot >= 0) this.table.drop(slot);
  }

  dropAll(): void {
    this.table.dropAll(Int32Array.from([...this.table.slots()].filter(slot => slot % 2 === 0)));
    const left = new Set<string>();
    for (const [key] of this.entries()) left.add(key);
    for (const key of [...this.model.keys()]) if (!left.has(key)) this.model.delete(key);
  }

  restart(): void {
    const saved = deserialize(serialize(this.table.state())) as StateTableState;
    this.table = new StateTable();
    this.column = this.table.column('f64');
    this.table.load(saved);
  }

  *entries(): Iterable<[string, number]> {
    for (const slot of this.table.slots()) {
      const { index } = this.table;
      const key = Buffer.from(index.arena.subarray(index.keyStart(slot), index.keyEnd(slot))).toString();
      yield [`${index.prefixOf(slot)}/${key}`, this.column.f64[slot] as number];
    }
  }

  check(): void {
    expect([...this.entries()].sort()).toEqual([...this.model].sort());
    expect(this.table.rows).toBe(this.model.size);
  }
}

test('a state table is a map from keys to values, over any puts, drops and restarts', () => {
  const key = fc.constantFrom('', 'a', 'b', 'ab', 'abcd', 'abcde', 'a longer key of many bytes', 'ä');
  const prefix = fc.constantFrom(0, 5000, -1, 1.7e12);
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant('put'), prefix, key, fc.double()) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('append'), prefix, key, fc.double()) },
    { weight: 5, arbitrary: fc.tuple(fc.constant('drop'), prefix, key, fc.constant(0)) },
    { weight: 1, arbitrary: fc.constant(['restart', 0, '', 0] as const) },
    { weight: 1, arbitrary: fc.constant(['dropAll', 0, '', 0] as const) },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), actions => {
      const pair = new Pair();
      for (const [what, p, k, v] of actions) {
        if (what === 'put') pair.put(p, k, v);
        else if (what === 'append') pair.append(p, k, v);
        else if (what === 'drop') pair.drop(p, k);
        else if (what === 'dropAll') pair.dropAll();
        else pair.restart();
      }
      pair.check();
    }),
  );
});

test('many keys come and go: slots are given again, dropped bytes are let go', () => {
  const pair = new Pair();
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 2000; i++) pair.put(round, `key number ${i} of a round`, i);
    if (round > 0) for (let i = 0; i < 2000; i++) pair.drop(round - 1, `key number ${i} of a round`);
  }
  pair.check();
  expect(pair.table.index.high).toBe(4000);
  expect(pair.table.index.arena.length).toBeLessThan(600_000);
});

test('keys that come and go with a window are never hashed', () => {
  const pair = new Pair();
  const { table } = pair;
  const before = table.index.bytes;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 2000; i++) pair.append(round, `key number ${i} of a round`, i);
    if (round > 0) {
      table.dropAll(
        Int32Array.from([...table.slots()].filter(slot => table.index.prefixOf(slot) === round - 1)),
      );
      for (const key of [...pair.model.keys()]) if (key.startsWith(`${round - 1}/`)) pair.model.delete(key);
    }
  }
  pair.check();
  // 20 bytes a slot and the keys themselves, but no table of hashes for 4,000 keys
  expect(table.index.bytes - before).toBeLessThan(4096 * 20 + 600_000);
  expect(table.index.high).toBe(4000);
  pair.put(19, 'key number 7 of a round', 1);
  pair.drop(19, 'key number 8 of a round');
  pair.check();
});

test('bytes that were read stay as they are when the table goes on', () => {
  const table = new StateTable();
  const big = (i: number) => utf8.encode(String(i).padStart(2000, '.'));
  const slot = table.slot(0, big(1), 0, 2000);
  const seen = table.index.arena.subarray(table.index.keyStart(slot), table.index.keyEnd(slot));
  for (let i = 2; i < 200; i++) table.slot(0, big(i), 0, 2000);
  for (let i = 1; i < 190; i++) table.drop(table.find(0, big(i), 0, 2000));
  for (let i = 200; i < 400; i++) table.slot(0, big(i), 0, 2000);
  expect(Buffer.from(seen)).toEqual(Buffer.from(big(1)));
});
