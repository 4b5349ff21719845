import { describe, expect, it } from 'vitest';
import { DOUBLE, STRING } from '../../../src/core/sql-type.ts';
import { createRegistry } from '../../../src/expr/function-registry.ts';
import { builtInFunctions } from '../../../src/expr/functions/built-in.ts';

const registry = createRegistry(builtInFunctions);

function context(seq: number) {
  return { now: 0, rowtime: 0, seq, zone: 'UTC', fail: () => null };
}

describe('RANDOM and UUID', () => {
  const random = (seq: number, site = 1) =>
    Number(registry.scalar('RANDOM', [], DOUBLE, site)([], context(seq)));
  const uuid = (seq: number, site = 1) => registry.scalar('UUID', [], STRING, site)([], context(seq));

  it('say the same for the same record and call site', () => {
    expect(random(17)).toBe(random(17));
    expect(uuid(17)).toBe(uuid(17));
  });

  it('differ between records, far apart too, and between call sites', () => {
    const seqs = [...Array(5000).keys(), 2 ** 32, 2 ** 32 + 1, 2 ** 40, 2 ** 53 - 1];
    expect(new Set(seqs.map(s => uuid(s))).size).toBe(seqs.length);
    expect(new Set(seqs.map(s => random(s))).size).toBe(seqs.length);
    expect(random(17, 1)).not.toBe(random(17, 2));
    expect(uuid(17, 1)).not.toBe(uuid(17, 2));
  });

  it('spread evenly over consecutive records', () => {
    const counts = Array<number>(10).fill(0);
    for (let seq = 0; seq < 20_000; seq++) {
      const tenth = Math.floor(random(seq) * 10);
      counts[tenth] = (counts[tenth] ?? 0) + 1;
    }
    // six standard deviations of a fair draw
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(260);
  });

  it('give version 4 UUIDs', () => {
    for (let seq = 0; seq < 200; seq++) {
      expect(uuid(seq)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });
});
