import type { SqlType } from '../core/sql-type.ts';
import { decimal, STRING, sameType, typeText } from '../core/sql-type.ts';
import { canCast, canWiden, commonType, decimalOf } from './coercion.ts';
import type { ArgumentType } from './registry.ts';
import { type Parameter, type ParsedSignature, type Pattern, substitute } from './signature.ts';

/** How arguments fit a signature. */
export interface Fit {
  /** the type to which each argument is cast; a lambda stands as its body's type */
  readonly args: readonly SqlType[];
  readonly bindings: ReadonlyMap<string, SqlType>;
  /** how many arguments need a conversion */
  readonly conversions: number;
}

/** The parameter of each of `count` arguments (the variadic one repeated), or null when the count does not fit. */
function spread(signature: ParsedSignature, count: number): readonly Parameter[] | null {
  const { params, variadic } = signature;
  if (variadic < 0) return params.length === count ? params : null;
  const repeats = count - (params.length - 1);
  const repeated = params[variadic];
  if (repeats < 1 || !repeated) return null;
  return [
    ...params.slice(0, variadic),
    ...Array.from({ length: repeats }, () => repeated),
    ...params.slice(variadic + 1),
  ];
}

/**
 * Fits arguments to a signature; null when they do not. Variables take the common type of all that they meet, so
 * `(T, T)` takes an INT and a BIGINT as BIGINT. A lambda's body counts like an argument of the body's type, once it is
 * known; `bodies: false` leaves it open.
 */
export function fitArguments(
  signature: ParsedSignature,
  args: readonly ArgumentType[],
  bodies = true,
): Fit | null {
  const params = spread(signature, args.length);
  if (!params) return null;
  const bindings = new Map<string, SqlType>();
  for (const [i, param] of params.entries()) {
    const arg = args[i];
    if (!arg || arg.kind !== param.kind) return null;
    if (param.kind === 'value' && arg.kind === 'value') {
      if (arg.type && !follows(param.pattern, arg) && !unify(param.pattern, arg.type, bindings)) return null;
    } else if (param.kind === 'lambda' && arg.kind === 'lambda' && arg.arity !== param.params.length) {
      return null;
    }
  }
  for (const [i, param] of params.entries()) {
    const arg = args[i];
    if (param.kind !== 'value' || arg?.kind !== 'value' || !follows(param.pattern, arg)) continue;
    if (!followed(param.pattern, bindings)) return null;
  }
  if (bodies) {
    const before = new Map(bindings);
    if (!unifyBodies(params, args, bindings) || lambdaInputsMoved(params, before, bindings)) return null;
  }
  return convert(params, args, bindings);
}

/** A text literal for a variable waits for what the other arguments bind. */
function follows(pattern: Pattern, arg: Extract<ArgumentType, { kind: 'value' }>): boolean {
  return arg.textLiteral === true && pattern.p === 'variable';
}

/** It then stands for a number, a time or a BOOLEAN, or makes the variable a STRING when nothing else did. */
function followed(pattern: Pattern, bindings: Map<string, SqlType>): boolean {
  const bound = substitute(pattern, bindings);
  if (bound) return canCast(STRING, bound);
  return unify(pattern, STRING, bindings);
}

function unifyBodies(
  params: readonly Parameter[],
  args: readonly ArgumentType[],
  bindings: Map<string, SqlType>,
): boolean {
  return params.every((param, i) => {
    const arg = args[i];
    return (
      param.kind !== 'lambda' ||
      arg?.kind !== 'lambda' ||
      arg.body === null ||
      unify(param.body, arg.body, bindings)
    );
  });
}

/** Whether a body widened the type of a lambda parameter, under which the body itself was resolved. */
function lambdaInputsMoved(
  params: readonly Parameter[],
  before: ReadonlyMap<string, SqlType>,
  after: ReadonlyMap<string, SqlType>,
): boolean {
  const inputs = params.flatMap(p => (p.kind === 'lambda' ? p.params : []));
  return inputs.some(input => {
    const was = substitute(input, before);
    const is = substitute(input, after);
    return was !== null && is !== null && !sameType(was, is);
  });
}

/** Fits fully resolved types, as a plan holds them: nothing is converted, a lambda stands as its body's type. */
export function fitExactly(signature: ParsedSignature, types: readonly SqlType[]): Fit | null {
  const params = spread(signature, types.length);
  if (!params) return null;
  const found = fitArguments(
    signature,
    params.map((param, i): ArgumentType => {
      const type = types[i] ?? STRING;
      return param.kind === 'lambda'
        ? { kind: 'lambda', arity: param.params.length, body: type }
        : { kind: 'value', type };
    }),
  );
  return found && found.conversions === 0 ? found : null;
}

function convert(
  params: readonly Parameter[],
  args: readonly ArgumentType[],
  bindings: ReadonlyMap<string, SqlType>,
): Fit {
  let conversions = 0;
  const types = params.map((param, i) => {
    const arg = args[i];
    const given = arg?.kind === 'value' ? arg.type : (arg?.body ?? null);
    const type = targetType(param.kind === 'value' ? param.pattern : param.body, given, bindings);
    if (given && !sameType(given, type)) conversions++;
    return type;
  });
  return { args: types, bindings, conversions };
}

function targetType(
  pattern: Pattern,
  given: SqlType | null,
  bindings: ReadonlyMap<string, SqlType>,
): SqlType {
  switch (pattern.p) {
    case 'any':
    case 'struct':
      return given ?? STRING;
    case 'decimal':
      return (given && decimalOf(given)) ?? decimal(38, 10);
    case 'array': {
      const element = given?.kind === 'ARRAY' ? given.element : null;
      return Object.freeze({ kind: 'ARRAY', element: targetType(pattern.element, element, bindings) });
    }
    case 'map': {
      const map = given?.kind === 'MAP' ? given : null;
      return Object.freeze({
        kind: 'MAP',
        key: targetType(pattern.key, map?.key ?? null, bindings),
        value: targetType(pattern.value, map?.value ?? null, bindings),
      });
    }
    default:
      // a variable that met only NULLs
      return substitute(pattern, bindings) ?? STRING;
  }
}

function unify(pattern: Pattern, type: SqlType, bindings: Map<string, SqlType>): boolean {
  switch (pattern.p) {
    case 'any':
      return true;
    case 'type':
      return canWiden(type, pattern.type);
    case 'decimal':
      return decimalOf(type) !== null;
    case 'struct':
      return type.kind === 'STRUCT';
    case 'array':
      return type.kind === 'ARRAY' && unify(pattern.element, type.element, bindings);
    case 'map':
      return (
        type.kind === 'MAP' &&
        unify(pattern.key, type.key, bindings) &&
        unify(pattern.value, type.value, bindings)
      );
    case 'variable': {
      const bound = bindings.get(pattern.name);
      const joined = bound ? commonType(bound, type) : type;
      if (!joined) return false;
      bindings.set(pattern.name, joined);
      return true;
    }
  }
}

/** Parameter types of each lambda argument of a fitting signature; null while one of them is open. */
export function lambdaTypes(
  signature: ParsedSignature,
  args: readonly ArgumentType[],
  found: Fit,
): ReadonlyMap<number, readonly SqlType[]> | null {
  const types = new Map<number, readonly SqlType[]>();
  for (const [i, param] of (spread(signature, args.length) ?? []).entries()) {
    if (param.kind !== 'lambda') continue;
    const params = param.params.map(p => substitute(p, found.bindings));
    if (params.some(t => t === null)) return null;
    types.set(i, params as SqlType[]);
  }
  return types;
}

/** Arguments as an error shows them: `(STRING, NULL, (x, y) => ...)`. */
export function argumentsText(args: readonly ArgumentType[]): string {
  const texts = args.map(arg => {
    if (arg.kind === 'value') return arg.type ? typeText(arg.type) : 'NULL';
    return `(${Array.from({ length: arg.arity }, () => '_').join(', ')}) => ${arg.body ? typeText(arg.body) : '...'}`;
  });
  return `(${texts.join(', ')})`;
}
