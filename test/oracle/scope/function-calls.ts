import { type SqlType, STRING } from '../../../src/core/sql-type.ts';
import type { FunctionEntry } from '../../../src/expr/functions.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import {
  type Parameter,
  type ParsedSignature,
  type Pattern,
  parseSignature,
} from '../../../src/expr/signature.ts';
import type { Random } from '../generator/random.ts';
import { type Expr, leaf } from './expression.ts';
import { randomLiteral, TELLING_TEXTS } from './literals.ts';
import { MONEY, PAIR, SCALARS, TYPES } from './types.ts';

/** Every overload of the library is a way to make a value: what it gives decides where it may stand. */
interface Way {
  readonly name: string;
  readonly signature: ParsedSignature;
  readonly constants: number;
}

function ways(kind: FunctionEntry['kind'], without: ReadonlySet<string>): readonly Way[] {
  return standardLibrary.names(kind).flatMap(name => {
    const entry = standardLibrary.find(name);
    if (entry === undefined || without.has(name)) return [];
    return entry.overloads.map(o => ({
      name,
      signature: parseSignature(o.signature, name),
      constants: 'constants' in o ? (o.constants ?? 0) : 0,
    }));
  });
}

/** The clock's place is WHERE; values by chance are refused over rows that change. */
const SCALAR_WAYS = ways('scalar', new Set(['NOW', 'CURRENT_DATE', 'CURRENT_TIMESTAMP', 'RANDOM', 'UUID']));
const AGGREGATE_WAYS = ways('aggregate', new Set());
const TABLE_WAYS = ways('table', new Set());

/** So many rows, or elements, as a number says. */
const MAKING_MANY = new Set(['SERIES', 'SERIES_ROWS', 'GENERATE_SERIES']);
const few = (arg: Expr): Expr => ({ sql: '($0 % 5)', args: [arg], type: arg.type });

type Bindings = Map<string, SqlType>;
export type MakeArgument = (type: SqlType, locals?: readonly Expr[]) => Expr;

export function randomCall(random: Random, type: SqlType, make: MakeArgument): Expr | null {
  return call(random, SCALAR_WAYS, type, make);
}

/** Any aggregate; its type is what its signature says, MONEY for any DECIMAL. */
export function randomAggregateCall(random: Random, make: MakeArgument): Expr {
  for (;;) {
    const made = called(random, random.of(AGGREGATE_WAYS), new Map(), make);
    if (made) return made;
  }
}

export function randomTableCall(random: Random, make: MakeArgument): Expr {
  for (;;) {
    const made = called(random, random.of(TABLE_WAYS), new Map(), make);
    if (made) return made;
  }
}

function call(random: Random, from: readonly Way[], type: SqlType, make: MakeArgument): Expr | null {
  for (let i = 0; i < 30; i++) {
    const way = random.of(from);
    const bindings: Bindings = new Map();
    if (!binds(way.signature.returns, type, bindings)) continue;
    return called(random, way, bindings, make);
  }
  return null;
}

function called(random: Random, way: Way, bindings: Bindings, make: MakeArgument): Expr | null {
  const { params } = way.signature;
  const args: Expr[] = [];
  const texts: string[] = [];
  const constantsFrom = params.length - way.constants;
  for (const [i, param] of params.entries()) {
    const times = param.variadic ? random.int(1, 3) : 1;
    for (let n = 0; n < times; n++) {
      const arg =
        i >= constantsFrom
          ? constant(random, param)
          : argument(random, param, { bindings, make, first: i === 0 });
      if (arg === null || args.length > 8) return null;
      texts.push(`$${args.length}`);
      args.push(MAKING_MANY.has(way.name) ? few(arg) : arg);
    }
  }
  const type = typeOf(random, way.signature.returns, bindings);
  return { sql: `${way.name}(${texts.join(', ')})`, args, type };
}

interface ArgumentOptions {
  readonly bindings: Bindings;
  readonly make: MakeArgument;
  readonly first: boolean;
}

function argument(random: Random, param: Parameter, { bindings, make, first }: ArgumentOptions): Expr | null {
  if (param.kind === 'lambda') {
    const names = param.params.map((_, i) => `p${i}`);
    const locals = param.params.map((p, i) => leaf(names[i] ?? '', typeOf(random, p, bindings)));
    const body = make(typeOf(random, param.body, bindings), locals);
    return { sql: `(${names.join(', ')}) => $0`, args: [body], type: body.type };
  }
  const type = typeOf(random, param.pattern, bindings);
  if (type.kind === 'STRING' && !first && random.chance(0.6)) {
    return leaf(`'${random.of(TELLING_TEXTS)}'`, STRING);
  }
  if (type.kind === 'INT' && !first && random.chance(0.7)) return leaf(String(random.int(-1, 4)), type);
  return make(type);
}

function constant(random: Random, param: Parameter): Expr | null {
  if (param.kind === 'lambda' || param.pattern.p !== 'type') return null;
  const { type } = param.pattern;
  return type.kind === 'INT' ? leaf(String(random.int(1, 3)), type) : randomLiteral(random, type);
}

function binds(pattern: Pattern, type: SqlType, bindings: Bindings): boolean {
  switch (pattern.p) {
    case 'type':
      return pattern.type.kind === type.kind;
    case 'decimal':
      return type.kind === 'DECIMAL';
    case 'struct':
      return type.kind === 'STRUCT';
    case 'any':
      return true;
    case 'variable':
      bindings.set(pattern.name, type);
      return true;
    case 'array':
      return type.kind === 'ARRAY' && binds(pattern.element, type.element, bindings);
    case 'map':
      return (
        type.kind === 'MAP' &&
        binds(pattern.key, type.key, bindings) &&
        binds(pattern.value, type.value, bindings)
      );
  }
}

function typeOf(random: Random, pattern: Pattern, bindings: Bindings): SqlType {
  switch (pattern.p) {
    case 'type':
      return pattern.type;
    case 'decimal':
      return MONEY;
    case 'struct':
      return PAIR;
    case 'any':
      return random.of(TYPES);
    case 'variable': {
      const type = bindings.get(pattern.name) ?? random.of(SCALARS);
      bindings.set(pattern.name, type);
      return type;
    }
    case 'array':
      return { kind: 'ARRAY', element: typeOf(random, pattern.element, bindings) };
    case 'map':
      return { kind: 'MAP', key: STRING, value: typeOf(random, pattern.value, bindings) };
  }
}
