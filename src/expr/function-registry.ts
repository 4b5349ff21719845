import { assert } from '../core/assert.ts';
import { MillraceError } from '../core/errors.ts';
import type { SqlType } from '../core/sql-type.ts';
import { sameType, typeText } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import type {
  AggregateFold,
  AggregateFunction,
  AggregateOverload,
  FunctionEntry,
  Lambda,
  ScalarFunction,
  ScalarOverload,
  TableFunction,
} from './functions.ts';
import { guardedAggregate, guardedTable } from './guarded.ts';
import { argumentsText, type Fit, fitArguments, fitExactly, lambdaTypes } from './overload.ts';
import type {
  ArgumentType,
  FunctionRegistry,
  Resolution,
  ResolvedCall,
  ScalarEvaluator,
  TableEvaluator,
} from './registry.ts';
import { type ParsedSignature, type Pattern, parseSignature } from './signature.ts';

/**
 * A registry of these functions. Signatures are read here, so that a wrong one is refused when it is registered and
 * not when a query first calls it. Throws `config_invalid` (signature) or `duplicate_name`.
 */
export function createRegistry(entries: readonly FunctionEntry[]): FunctionRegistry {
  return new Registry(entries);
}

type Overload = FunctionEntry['overloads'][number];

interface Candidate {
  readonly overload: Overload;
  readonly signature: ParsedSignature;
}

interface Chosen {
  readonly candidate: Candidate;
  readonly fit: Fit;
  readonly returns: SqlType;
}

class Registry implements FunctionRegistry {
  readonly #entries: readonly FunctionEntry[];
  readonly #byName = new Map<string, FunctionEntry>();
  readonly #candidates = new Map<FunctionEntry, readonly Candidate[]>();

  constructor(entries: readonly FunctionEntry[]) {
    this.#entries = Object.freeze([...entries]);
    for (const entry of this.#entries) {
      for (const name of namesOf(entry)) {
        if (this.#byName.has(name)) {
          throw new MillraceError('duplicate_name', `two functions are named ${name}`, {
            hint: 'choose another name; built-in functions cannot be replaced',
          });
        }
        this.#byName.set(name, entry);
      }
      this.#candidates.set(
        entry,
        entry.overloads.map(o => candidateOf(o, entry.name)),
      );
    }
  }

  find(name: string): FunctionEntry | undefined {
    return this.#byName.get(name.toUpperCase());
  }

  names(kind?: FunctionEntry['kind']): readonly string[] {
    return this.#entries
      .filter(e => kind === undefined || e.kind === kind)
      .map(e => e.name.toUpperCase())
      .sort();
  }

  with(entries: readonly FunctionEntry[]): FunctionRegistry {
    return new Registry([...this.#entries, ...entries]);
  }

  lambdaParameters(
    entry: ScalarFunction,
    args: readonly ArgumentType[],
  ): Resolution<ReadonlyMap<number, readonly SqlType[]>> {
    let best: { types: ReadonlyMap<number, readonly SqlType[]>; conversions: number } | null = null;
    for (const { signature } of this.#of(entry)) {
      const found = fitArguments(signature, args, false);
      if (!found || (best && found.conversions >= best.conversions)) continue;
      const types = lambdaTypes(signature, args, found);
      if (types) best = { types, conversions: found.conversions };
    }
    return best ? { ok: true, call: best.types } : this.#refuse(entry, args);
  }

  resolveScalar(
    entry: ScalarFunction,
    args: readonly ArgumentType[],
  ): Resolution<ResolvedCall<ScalarFunction>> {
    return this.#resolve(entry, args);
  }

  resolveTable(entry: TableFunction, args: readonly ArgumentType[]): Resolution<ResolvedCall<TableFunction>> {
    return this.#resolve(entry, args);
  }

  resolveAggregate(
    entry: AggregateFunction,
    args: readonly ArgumentType[],
  ): Resolution<ResolvedCall<AggregateFunction> & { readonly constants: number }> {
    const chosen = this.#choose(entry, args);
    if (!chosen.ok) return chosen;
    const { candidate, fit: found, returns } = chosen.call;
    return {
      ok: true,
      call: { entry, args: found.args, returns, constants: constantsOf(candidate.overload) },
    };
  }

  scalar(fn: string, args: readonly SqlType[], returns: SqlType, site: number): ScalarEvaluator {
    const overload = this.#exact(fn, args, returns) as ScalarOverload;
    const evaluate = overload.make({ args, returns, site });
    if (overload.nulls === 'called') return evaluate;
    return (values, ctx) => (hasNull(values) ? null : evaluate(values, ctx));
  }

  table(fn: string, args: readonly SqlType[], returns: SqlType): TableEvaluator {
    const overload = this.#exact(fn, args, returns) as TableFunction['overloads'][number];
    return guardedTable(fn, overload.make({ args, returns, site: 0 }));
  }

  /**
   * `args` may hold the types of the constants or leave them out: plans keep constants apart from the arguments.
   * The fold's own `types.args` are always without them.
   */
  aggregate(
    fn: string,
    args: readonly SqlType[],
    returns: SqlType,
    constants: readonly (Value | null)[],
  ): AggregateFold {
    for (const { overload, signature } of this.#of(this.#entry(fn))) {
      if (constantsOf(overload) !== constants.length) continue;
      const bare = withoutConstants(signature, constants.length);
      for (const types of [args, args.slice(0, args.length - constants.length)]) {
        const found = fitExactly(bare, types);
        if (found && sameType(returnType(overload, bare, found), returns)) {
          const fold = (overload as AggregateOverload).make({ args: types, returns, site: 0 }, constants);
          return guardedAggregate(fn, fold);
        }
      }
    }
    return this.#missing(fn, args, returns);
  }

  #exact(fn: string, args: readonly SqlType[], returns: SqlType): Overload {
    for (const { overload, signature } of this.#of(this.#entry(fn))) {
      const found = fitExactly(signature, args);
      if (found && sameType(returnType(overload, signature, found), returns)) return overload;
    }
    return this.#missing(fn, args, returns);
  }

  #missing(fn: string, args: readonly SqlType[], returns: SqlType): never {
    const call = `${fn}(${args.map(typeText).join(', ')}) -> ${typeText(returns)}`;
    throw new MillraceError('unknown_function', `no overload for ${call}`, {
      hint: 'the function was changed after the plan was made',
    });
  }

  #entry(fn: string): FunctionEntry {
    const entry = this.find(fn);
    if (!entry) throw new MillraceError('unknown_function', `unknown function ${fn}`);
    return entry;
  }

  #of(entry: FunctionEntry): readonly Candidate[] {
    const candidates = this.#candidates.get(entry);
    assert(candidates, `function ${entry.name} is of another registry`);
    return candidates;
  }

  #resolve<E extends FunctionEntry>(entry: E, args: readonly ArgumentType[]): Resolution<ResolvedCall<E>> {
    const chosen = this.#choose(entry, args);
    if (!chosen.ok) return chosen;
    return { ok: true, call: { entry, args: chosen.call.fit.args, returns: chosen.call.returns } };
  }

  #choose(entry: FunctionEntry, args: readonly ArgumentType[]): Resolution<Chosen> {
    let best: { candidate: Candidate; fit: Fit } | null = null;
    for (const candidate of this.#of(entry)) {
      const found = fitArguments(candidate.signature, args);
      if (found && (!best || found.conversions < best.fit.conversions)) best = { candidate, fit: found };
    }
    if (!best) return this.#refuse(entry, args);
    try {
      const returns = resolvedReturn(best.candidate, best.fit);
      return { ok: true, call: { ...best, returns } };
    } catch (error) {
      if (error instanceof MillraceError) return { ok: false, reason: error.message };
      throw error;
    }
  }

  #refuse(
    entry: FunctionEntry,
    args: readonly ArgumentType[],
  ): { readonly ok: false; readonly reason: string } {
    const overloads = entry.overloads.map(o => `  ${entry.name}${o.signature}`).join('\n');
    return {
      ok: false,
      reason: `${entry.name} does not take ${argumentsText(args)}; it takes\n${overloads}`,
    };
  }
}

function namesOf(entry: FunctionEntry): readonly string[] {
  const aliases = entry.kind === 'table' ? [] : (entry.aliases ?? []);
  return [entry.name, ...aliases].map(n => n.toUpperCase());
}

function hasNull(values: readonly (Value | Lambda | null)[]): boolean {
  for (const value of values) if (value === null) return true;
  return false;
}

function candidateOf(overload: Overload, owner: string): Candidate {
  const signature = parseSignature(overload.signature, owner);
  if (!overload.returns) {
    const open = openHole(signature);
    if (open) {
      throw new MillraceError(
        'config_invalid',
        `signature "${signature.text}" of function ${owner} is wrong: nothing says what ${open} returns`,
        { hint: 'give the overload a `returns` function' },
      );
    }
  }
  return { overload, signature };
}

/** A hole of the return type that no argument fills, for the error text. */
function openHole(signature: ParsedSignature): string | null {
  const filled = new Set<string>();
  for (const param of signature.params) {
    for (const pattern of param.kind === 'value' ? [param.pattern] : [...param.params, param.body]) {
      for (const hole of holes(pattern)) filled.add(hole);
    }
  }
  return holes(signature.returns).find(h => !filled.has(h)) ?? null;
}

function holes(pattern: Pattern): readonly string[] {
  switch (pattern.p) {
    case 'type':
      return [];
    case 'variable':
      return [pattern.name];
    case 'array':
      return holes(pattern.element);
    case 'map':
      return [...holes(pattern.key), ...holes(pattern.value)];
    default:
      return [pattern.p.toUpperCase()];
  }
}

function constantsOf(overload: Overload): number {
  return 'constants' in overload ? (overload.constants ?? 0) : 0;
}

function withoutConstants(signature: ParsedSignature, count: number): ParsedSignature {
  return count === 0
    ? signature
    : { ...signature, params: signature.params.slice(0, signature.params.length - count) };
}

/** The return type of a call just resolved: constants of an aggregate do not count as its arguments. */
function resolvedReturn({ overload, signature }: Candidate, found: Fit): SqlType {
  const count = constantsOf(overload);
  const args = found.args.slice(0, found.args.length - count);
  return returnType(overload, withoutConstants(signature, count), { ...found, args });
}

function returnType(overload: Overload, signature: ParsedSignature, found: Fit): SqlType {
  if (overload.returns) return overload.returns(found.args);
  return fill(signature.returns, found);
}

/** A bare DECIMAL, STRUCT or ANY in the return type is the type of the first argument of that kind. */
function fill(pattern: Pattern, found: Fit): SqlType {
  switch (pattern.p) {
    case 'decimal':
    case 'struct':
    case 'any': {
      const kind = pattern.p === 'any' ? null : pattern.p.toUpperCase();
      const type = found.args.find(t => kind === null || t.kind === kind);
      assert(type, 'an argument fills the hole of the return type');
      return type;
    }
    case 'array':
      return Object.freeze({ kind: 'ARRAY', element: fill(pattern.element, found) });
    case 'map':
      return Object.freeze({
        kind: 'MAP',
        key: fill(pattern.key, found),
        value: fill(pattern.value, found),
      });
    case 'type':
      return pattern.type;
    case 'variable':
      return found.bindings.get(pattern.name) ?? Object.freeze({ kind: 'STRING' });
  }
}
