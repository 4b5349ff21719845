import { describe, expect, it } from 'vitest';
import type { SqlType } from '../../../src/core/sql-type.ts';
import type { Value } from '../../../src/core/value.ts';
import { createRegistry } from '../../../src/expr/function-registry.ts';
import { builtInFunctions } from '../../../src/expr/functions/built-in.ts';
import type { Lambda } from '../../../src/expr/functions.ts';
import { goldenValue, type Plain, typeOf } from './golden-values.ts';

const registry = createRegistry(builtInFunctions);

interface Call {
  readonly fn: string;
  /** types of the arguments; a lambda stands as the type of its body */
  readonly args: readonly string[];
  readonly returns: string;
  readonly values: readonly (Plain | Lambda)[];
}

function run({ fn, args, returns, values }: Call): { value: Value | null; failures: string[] } {
  const failures: string[] = [];
  const types = args.map(typeOf);
  const evaluate = registry.scalar(fn, types, typeOf(returns), 0);
  const given = values.map((v, i) =>
    typeof v === 'function' ? v : goldenValue(types[i] as SqlType, v as Plain),
  );
  const fail = (message: string) => {
    failures.push(message);
    return null;
  };
  return { value: evaluate(given, { now: 0, rowtime: 0, seq: 0, zone: 'UTC', fail }), failures };
}

const INTS = 'ARRAY<INT>';
const MAP = 'MAP<STRING, INT>';
const add: Lambda = (a, b) => (a === null || b === null ? null : Number(a) + Number(b));

describe('FILTER', () => {
  const positive: Lambda = v => (v === null ? null : Number(v) > 0);

  it.each<[Plain, Plain]>([
    [
      [3, -1, null, 2],
      [3, 2],
    ],
    [[], []],
    [null, null],
  ])('keeps the elements for which the lambda is true: %j', (items, kept) => {
    expect(
      run({ fn: 'FILTER', args: [INTS, 'BOOLEAN'], returns: INTS, values: [items, positive] }).value,
    ).toEqual(kept);
  });

  it('keeps entries of a map by key and value', () => {
    const { value } = run({
      fn: 'FILTER',
      args: [MAP, 'BOOLEAN'],
      returns: MAP,
      values: [{ a: 1, b: 2, c: null }, (k, v) => k !== 'a' && v !== null],
    });
    expect(value).toEqual(new Map([['b', 2]]));
  });
});

describe('TRANSFORM', () => {
  it.each<[Plain, Plain]>([
    [
      [1, null, 3],
      [2, null, 4],
    ],
    [[], []],
    [null, null],
  ])('puts every element through the lambda: %j', (items, changed) => {
    const values = [items, (v: Value | null) => add(v, 1)];
    expect(run({ fn: 'TRANSFORM', args: [INTS, 'INT'], returns: INTS, values }).value).toEqual(changed);
  });

  const ofMap = (map: Plain, key: Lambda) =>
    run({
      fn: 'TRANSFORM',
      args: [MAP, 'STRING', 'INT'],
      returns: MAP,
      values: [map, key, (_k: Value | null, v: Value | null) => add(v, 10)],
    });

  it('puts keys and values of a map through their lambdas', () => {
    expect(ofMap({ a: 1, b: null }, k => `${k as string}!`).value).toEqual(
      new Map([
        ['a!', 11],
        ['b!', null],
      ]),
    );
  });

  it.each<[string, Lambda]>([
    ['a key became NULL', () => null],
    ['two entries got the same key', () => 'same'],
  ])('fails when %s', (reason, key) => {
    expect(ofMap({ a: 1, b: 2 }, key)).toEqual({ value: null, failures: [expect.stringContaining(reason)] });
  });
});

describe('REDUCE', () => {
  const reduce = (items: Plain, initial: Plain) =>
    run({ fn: 'REDUCE', args: [INTS, 'INT', 'INT'], returns: 'INT', values: [items, initial, add] }).value;

  it('folds an array from the left', () => {
    expect(reduce([1, 2, 3], 10)).toBe(16);
    expect(reduce([], 10)).toBe(10);
  });

  it('is NULL from a NULL state on, and the initial state for a NULL array', () => {
    expect(reduce([1, null, 3], 10)).toBeNull();
    expect(reduce([1], null)).toBeNull();
    expect(reduce(null, 10)).toBe(10);
  });

  it('folds a map by state, key and value', () => {
    const { value } = run({
      fn: 'REDUCE',
      args: [MAP, 'STRING', 'STRING'],
      returns: 'STRING',
      values: [{ a: 1, b: 2 }, '>', (s, k, v) => `${s as string}${k as string}${v as number}`],
    });
    expect(value).toBe('>a1b2');
  });
});
