import { describe, expect, test } from 'vitest';
import { netOf } from '../../pipelines/functions/net-of.ts';
import { spread } from '../../pipelines/functions/spread.ts';
import { BIGINT, DOUBLE, decimal, type SqlType } from '../../src/core/sql-type.ts';
import type { Value } from '../../src/core/value.ts';
import { createRegistry } from '../../src/expr/function-registry.ts';
import type { EvalContext } from '../../src/expr/functions.ts';

const failures: string[] = [];
const ctx: EvalContext = {
  now: 0,
  rowtime: 0,
  seq: 0,
  zone: 'UTC',
  fail(message) {
    failures.push(message);
    return null;
  },
};
const registry = createRegistry([netOf, spread]);
const values = (types: readonly SqlType[]) => types.map(type => ({ kind: 'value', type }) as const);

describe('NET_OF', () => {
  const types = [decimal(12, 2), decimal(4, 1)] as const;
  const call = (gross: Value | null, rate: Value | null) => {
    const resolved = registry.resolveScalar(netOf, values(types));
    if (!resolved.ok) throw new Error(resolved.reason);
    expect(resolved.call.returns).toEqual(decimal(12, 2));
    return registry.scalar('NET_OF', resolved.call.args, resolved.call.returns, 0)([gross, rate], ctx);
  };

  test.each([
    [11_900n, 190n, 10_000n], // 119.00 at 19.0 % is 100.00
    [10_000n, 190n, 8_403n], // 84.0336... rounds down
    [3n, 1_000n, 2n], // 0.015 rounds up
    [-3n, 1_000n, -2n],
    [90_071_992_547_409_931n, 0n, 90_071_992_547_409_931n], // no float could hold it
    [null, 190n, null],
    [100n, null, null],
  ])('of %s at %s tenths of a percent is %s', (gross, rate, net) => {
    expect(call(gross, rate)).toBe(net);
  });

  test('of a rate that makes no sense is NULL, with an entry in the ledger', () => {
    expect(call(100n, -1_000n)).toBeNull();
    expect(failures).toEqual(['NET_OF: the tax rate must be above -100 percent']);
  });
});

describe('SPREAD', () => {
  const over = (type: SqlType, rows: readonly (Value | null)[]) => {
    const resolved = registry.resolveAggregate(spread, values([type]));
    if (!resolved.ok) throw new Error(resolved.reason);
    const fold = registry.aggregate('SPREAD', resolved.call.args, resolved.call.returns, []);
    const add = (part: readonly (Value | null)[]) =>
      part.reduce<Value | null>((acc, value) => fold.add(acc, [value], ctx), fold.init());
    const whole = fold.result(add(rows));
    for (let cut = 0; cut <= rows.length; cut++) {
      const merged = fold.merge?.(add(rows.slice(0, cut)), add(rows.slice(cut))) ?? null;
      expect(fold.result(merged)).toEqual(whole);
    }
    return whole;
  };

  test.each([
    [BIGINT, [5n, null, -3n, 2n ** 62n], 2n ** 62n + 3n],
    [decimal(10, 2), [1_250n, 1_000n], 250n],
    [DOUBLE, [1.5, 4], 2.5],
    [DOUBLE, [7], 0],
    [DOUBLE, [null], null],
    [DOUBLE, [], null],
  ] as const)('over %o of %s is %s, in one part or merged from two', (type, rows, result) => {
    expect(over(type, rows)).toBe(result);
  });
});
