import { describe, expect, it } from 'vitest';
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  type SqlType,
  STRING,
  typeText,
} from '../../../src/core/sql-type.ts';
import { createRegistry } from '../../../src/expr/function-registry.ts';
import type { AggregateFunction, ScalarFunction, Signature } from '../../../src/expr/functions.ts';
import type { ArgumentType } from '../../../src/expr/registry.ts';

const scalar = (name: string, ...signatures: Signature[]): ScalarFunction => ({
  kind: 'scalar',
  name,
  category: 'test',
  description: 'a test function',
  overloads: signatures.map(signature => ({ signature, make: () => () => signature })),
});

const v = (type: SqlType | null): ArgumentType => ({ kind: 'value', type });
const lambda = (arity: number, body: SqlType | null): ArgumentType => ({ kind: 'lambda', arity, body });

/** `argument types -> return type` of a call, or the reason why there is none */
function resolve(fn: ScalarFunction, ...args: ArgumentType[]): string {
  const result = createRegistry([fn]).resolveScalar(fn, args);
  return result.ok
    ? `${result.call.args.map(typeText).join(', ')} -> ${typeText(result.call.returns)}`
    : result.reason;
}

describe('choice of an overload', () => {
  it('takes the one with the fewest conversions, the earlier one on a tie', () => {
    const abs = scalar('ABS', '(INT) -> INT', '(BIGINT) -> BIGINT', '(DOUBLE) -> DOUBLE');
    expect(resolve(abs, v(BIGINT))).toBe('BIGINT -> BIGINT');
    expect(resolve(abs, v(decimal(4, 2)))).toBe('DOUBLE -> DOUBLE');
    expect(resolve(abs, v(null))).toBe('INT -> INT');
  });

  it('widens numbers but never narrows them', () => {
    const f = scalar('F', '(BIGINT) -> STRING');
    expect(resolve(f, v(INT))).toBe('BIGINT -> STRING');
    expect(resolve(f, v(DOUBLE))).toContain('F does not take (DOUBLE)');
  });

  it('lists the overloads when none fits', () => {
    const f = scalar('F', '(STRING) -> INT', '(STRING, INT) -> INT');
    expect(resolve(f, v(BOOLEAN), v(null))).toBe(
      'F does not take (BOOLEAN, NULL); it takes\n  F(STRING) -> INT\n  F(STRING, INT) -> INT',
    );
  });
});

describe('signatures with holes', () => {
  it('binds a variable to the common type of all its arguments', () => {
    const f = scalar('GREATEST', '(T...) -> T');
    expect(resolve(f, v(INT), v(null), v(BIGINT))).toBe('BIGINT, BIGINT, BIGINT -> BIGINT');
    expect(resolve(f, v(INT), v(STRING))).toContain('does not take');
    expect(resolve(f)).toContain('does not take');
  });

  it('lets a text literal follow the other arguments of its variable', () => {
    const f = scalar('GREATEST', '(T...) -> T');
    const textLiteral: ArgumentType = { kind: 'value', type: STRING, textLiteral: true };
    expect(resolve(f, textLiteral, v(null), v(DATE))).toBe('DATE, DATE, DATE -> DATE');
    expect(resolve(f, textLiteral, v(INT), v(BIGINT))).toBe('BIGINT, BIGINT, BIGINT -> BIGINT');
    expect(resolve(f, textLiteral, v(null))).toBe('STRING, STRING -> STRING');
    expect(resolve(f, textLiteral, v(STRING))).toBe('STRING, STRING -> STRING');
    expect(resolve(f, textLiteral, v(arrayOf(INT)))).toContain('does not take');
  });

  it('binds inside arrays and maps', () => {
    const f = scalar('F', '(ARRAY<T>, T) -> BOOLEAN', '(MAP<K, V>, K) -> V');
    expect(resolve(f, v(arrayOf(BIGINT)), v(INT))).toBe('ARRAY<BIGINT>, BIGINT -> BOOLEAN');
    expect(resolve(f, v(mapOf(STRING, DOUBLE)), v(STRING))).toBe('MAP<STRING, DOUBLE>, STRING -> DOUBLE');
  });

  it('repeats a variadic parameter at the end or in the middle', () => {
    const f = scalar('F', '(INT, STRING..., BOOLEAN) -> INT');
    expect(resolve(f, v(INT), v(STRING), v(null), v(BOOLEAN))).toBe('INT, STRING, STRING, BOOLEAN -> INT');
    expect(resolve(f, v(INT), v(BOOLEAN))).toContain('does not take');
  });

  it('keeps precision and scale of a bare DECIMAL and takes any type for ANY', () => {
    const f = scalar('F', '(DECIMAL) -> DECIMAL', '(ANY) -> STRING');
    expect(resolve(f, v(decimal(9, 2)))).toBe('DECIMAL(9, 2) -> DECIMAL(9, 2)');
    expect(resolve(f, v(arrayOf(INT)))).toBe('ARRAY<INT> -> STRING');
  });

  it('refuses a wrong signature when it is registered', () => {
    const register = (signature: string) => () => createRegistry([scalar('OWN', signature)]);
    expect(register('(STRNG) -> INT')).toThrow('function OWN is wrong: unknown type "STRNG"');
    expect(register('(INT) INT')).toThrow('expected "->" before "INT"');
    expect(register('(INT) -> T')).toThrow('nothing says what T returns');
    expect(register('(INT..., INT...) -> INT')).toThrow('only one parameter may be variadic');
  });
});

describe('lambdas', () => {
  const transform = scalar(
    'TRANSFORM',
    '(ARRAY<T>, (T) => R) -> ARRAY<R>',
    '(MAP<K, V>, (K, V) => A, (K, V) => B) -> MAP<A, B>',
  );

  it('learn their parameter types from the other arguments', () => {
    const types = (...args: ArgumentType[]) => {
      const result = createRegistry([transform]).lambdaParameters(transform, args);
      return result.ok ? [...result.call].map(([i, t]) => `${i}: ${t.map(typeText)}`) : result.reason;
    };
    expect(types(v(arrayOf(INT)), lambda(1, null))).toEqual(['1: INT']);
    expect(types(v(mapOf(STRING, INT)), lambda(2, null), lambda(2, null))).toEqual([
      '1: STRING,INT',
      '2: STRING,INT',
    ]);
    expect(types(v(arrayOf(INT)), lambda(2, null))).toContain('does not take (ARRAY<INT>, (_, _) => ...)');
  });

  it('give the return type by their body', () => {
    expect(resolve(transform, v(arrayOf(INT)), lambda(1, STRING))).toBe(
      'ARRAY<INT>, STRING -> ARRAY<STRING>',
    );
  });

  it('may not widen a type under which their body was resolved', () => {
    const reduce = scalar('REDUCE', '(ARRAY<T>, S, (S, T) => S) -> S');
    expect(resolve(reduce, v(arrayOf(INT)), v(BIGINT), lambda(2, INT))).toBe(
      'ARRAY<INT>, BIGINT, BIGINT -> BIGINT',
    );
    expect(resolve(reduce, v(arrayOf(BIGINT)), v(INT), lambda(2, BIGINT))).toContain('does not take');
  });
});

describe('the registry', () => {
  it('finds names and aliases without case', () => {
    const registry = createRegistry([{ ...scalar('SUBSTRING', '(STRING) -> STRING'), aliases: ['SUBSTR'] }]);
    expect(registry.find('substr')?.name).toBe('SUBSTRING');
    expect(registry.names()).toEqual(['SUBSTRING']);
    expect(registry.find('sub')).toBeUndefined();
  });

  it('grows by `with` and stays as it was', () => {
    const small = createRegistry([scalar('A', '() -> INT')]);
    const large = small.with([scalar('B', '() -> INT')]);
    expect(large.names()).toEqual(['A', 'B']);
    expect(small.names()).toEqual(['A']);
    expect(() => large.with([scalar('a', '() -> INT')])).toThrow('two functions are named A');
  });

  it('gives NULL for a NULL argument without a call, unless the function asks for it', () => {
    const length: ScalarFunction = {
      ...scalar('LENGTH'),
      overloads: [
        {
          signature: '(STRING) -> INT',
          make:
            () =>
            ([s]) =>
              (s as string).length,
        },
        {
          signature: '(INT) -> INT',
          nulls: 'called',
          make:
            () =>
            ([i]) =>
              (i as number | null) ?? -1,
        },
      ],
    };
    const registry = createRegistry([length]);
    const ctx = { now: 0, rowtime: 0, seq: 0, zone: 'UTC', fail: () => null };
    expect(registry.scalar('LENGTH', [STRING], INT, 0)(['abc'], ctx)).toBe(3);
    expect(registry.scalar('LENGTH', [STRING], INT, 0)([null], ctx)).toBeNull();
    expect(registry.scalar('LENGTH', [INT], INT, 0)([null], ctx)).toBe(-1);
  });

  it('keeps the constants of an aggregate apart from its arguments', () => {
    const top: AggregateFunction = {
      kind: 'aggregate',
      name: 'TOP',
      category: 'test',
      description: 'a test aggregate',
      overloads: [
        {
          signature: '(T, INT) -> ARRAY<T>',
          constants: 1,
          make: ({ args }, constants) => ({
            state: arrayOf(INT),
            init: () => null,
            add: acc => acc,
            result: () => `${args.map(typeText).join(', ')} | ${constants.join(', ')}`,
          }),
        },
      ],
    };
    const registry = createRegistry([top]);
    const resolved = registry.resolveAggregate(top, [v(INT), v(INT)]);
    expect(resolved.ok && [resolved.call.constants, typeText(resolved.call.returns)]).toEqual([
      1,
      'ARRAY<INT>',
    ]);
    expect(registry.aggregate('TOP', [INT], arrayOf(INT), [3]).result(null)).toBe('INT | 3');
    expect(registry.aggregate('TOP', [INT, INT], arrayOf(INT), [3]).result(null)).toBe('INT | 3');
  });
});
