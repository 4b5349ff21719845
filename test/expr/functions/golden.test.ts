import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SqlType } from '../../../src/core/sql-type.ts';
import { arrayOf, typeText } from '../../../src/core/sql-type.ts';
import { createRegistry } from '../../../src/expr/function-registry.ts';
import { builtInFunctions } from '../../../src/expr/functions/built-in.ts';
import type { EvalContext } from '../../../src/expr/functions.ts';
import { goldenValue, type Plain, typeOf } from './golden-values.ts';

/**
 * Golden cases of the scalar and table functions, as data: `{fn, args: types, returns: type, cases: [[arguments, result]]}`.
 * A result of `{"fail": "part of the reason"}` is NULL with an entry for the ledger; a table function's result is the
 * array of its rows. `zone` is the server's zone, UTC unless given. Functions that take lambdas have cases in
 * `lambdas.test.ts`.
 */
interface Group {
  readonly fn: string;
  readonly args: readonly string[];
  readonly returns: string;
  readonly zone?: string;
  readonly cases: readonly (readonly [readonly Plain[], Plain])[];
}

const folder = new URL('.', import.meta.url);
const files = readdirSync(folder).filter(f => f.endsWith('.json'));
const groups = new Map<string, readonly Group[]>(
  files.map(f => [f, JSON.parse(readFileSync(new URL(f, folder), 'utf8')) as Group[]]),
);
const registry = createRegistry(builtInFunctions);
const NOW = Date.parse('2026-11-24T13:05:00.250Z');

function evaluate(group: Group, plain: readonly Plain[]) {
  const types = group.args.map(typeOf);
  const { args, returns } = resolved(group.fn, types);
  const failures: string[] = [];
  const ctx: EvalContext = {
    now: NOW,
    rowtime: 0,
    seq: 42,
    zone: group.zone ?? 'UTC',
    fail: message => {
      failures.push(message);
      return null;
    },
  };
  const values = types.map((t, i) => goldenValue(t, plain[i] ?? null));
  const entry = registry.find(group.fn);
  const value =
    entry?.kind === 'table'
      ? registry.table(group.fn, args, returns)(values, ctx)
      : registry.scalar(group.fn, args, returns, 7)(values, ctx);
  return { value, failures };
}

function resolved(fn: string, types: readonly SqlType[]) {
  const entry = registry.find(fn);
  if (!entry || entry.kind === 'aggregate') throw new Error(`no function ${fn}`);
  const args = types.map(type => ({ kind: 'value', type }) as const);
  const result =
    entry.kind === 'table' ? registry.resolveTable(entry, args) : registry.resolveScalar(entry, args);
  if (!result.ok) throw new Error(result.reason);
  return result.call;
}

describe.each([...groups])('%s', (_, list) => {
  describe.each(list.map(g => [`${g.fn}(${g.args.join(', ')})`, g] as const))('%s', (_, group) => {
    it(`is ${group.returns}`, () => {
      const call = resolved(group.fn, group.args.map(typeOf));
      expect(typeText(call.returns)).toBe(typeText(typeOf(group.returns)));
      expect(call.args.map(typeText)).toEqual(group.args.map(t => typeText(typeOf(t))));
    });

    it.each(
      group.cases.map(
        ([args, result]) => [JSON.stringify(args), JSON.stringify(result), args, result] as const,
      ),
    )('%s gives %s', (_args, _result, args, result) => {
      const { value, failures } = evaluate(group, args);
      if (result !== null && typeof result === 'object' && 'fail' in result) {
        expect(failures).toEqual([expect.stringContaining(String(result.fail))]);
        expect(value === null || (Array.isArray(value) && value.length === 0)).toBe(true);
        return;
      }
      expect(failures).toEqual([]);
      const isTable = registry.find(group.fn)?.kind === 'table';
      const type = typeOf(group.returns);
      expect(value).toEqual(goldenValue(isTable ? arrayOf(type) : type, result));
    });
  });
});

describe('every function', () => {
  const covered = new Map<string, Group[]>();
  for (const group of [...groups.values()].flat()) {
    const name = registry.find(group.fn)?.name ?? group.fn;
    covered.set(name, [...(covered.get(name) ?? []), group]);
  }
  const withoutLambdas = builtInFunctions.filter(f => !f.overloads.some(o => o.signature.includes('=>')));

  it.each(withoutLambdas.map(f => f.name))('%s has at least three cases, one of them with NULL', name => {
    const found = covered.get(name) ?? [];
    const entry = registry.find(name);
    const takesArguments = entry?.overloads.some(o => !o.signature.startsWith('()')) ?? false;
    const cases = found.flatMap(g => g.cases);
    expect(cases.length).toBeGreaterThanOrEqual(takesArguments ? 3 : 1);
    if (takesArguments) expect(cases.some(([args]) => args.includes(null))).toBe(true);
  });

  it.each(builtInFunctions.map(f => [f.name, f] as const))('%s is described in whole sentences', (_, f) => {
    expect(f.description).toMatch(/^[-A-Z].*[.]$/s);
    expect(f.category).not.toBe('');
  });

  it('has an entry for complete SQL where it names one', () => {
    const named = builtInFunctions.flatMap(f => (f.kind === 'scalar' && f.complete ? [f.complete] : []));
    expect(named).toContain('SUBSTR');
    for (const name of named) expect(registry.find(name)?.kind).toBe('scalar');
  });

  it('resolves aliases to the same entry', () => {
    for (const f of builtInFunctions) {
      for (const alias of f.kind === 'scalar' ? (f.aliases ?? []) : []) expect(registry.find(alias)).toBe(f);
    }
  });
});
