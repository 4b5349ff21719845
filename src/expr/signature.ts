import { MillraceError } from '../core/errors.ts';
import type { SqlType, StructField } from '../core/sql-type.ts';
import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
} from '../core/sql-type.ts';

/** A type with holes, as a signature writes it. */
export type Pattern =
  | { readonly p: 'type'; readonly type: SqlType }
  /** bare DECIMAL: any precision and scale */
  | { readonly p: 'decimal' }
  /** bare STRUCT: any fields */
  | { readonly p: 'struct' }
  | { readonly p: 'any' }
  | { readonly p: 'variable'; readonly name: string }
  | { readonly p: 'array'; readonly element: Pattern }
  | { readonly p: 'map'; readonly key: Pattern; readonly value: Pattern };

export type Parameter =
  | { readonly kind: 'value'; readonly pattern: Pattern; readonly variadic: boolean }
  | {
      readonly kind: 'lambda';
      readonly params: readonly Pattern[];
      readonly body: Pattern;
      readonly variadic: false;
    };

export interface ParsedSignature {
  readonly text: string;
  readonly params: readonly Parameter[];
  /** position of the variadic parameter, or -1; it stands for one or more arguments */
  readonly variadic: number;
  readonly returns: Pattern;
}

const PRIMITIVES: Readonly<Record<string, SqlType>> = {
  BOOLEAN,
  INT,
  INTEGER: INT,
  BIGINT,
  DOUBLE,
  STRING,
  VARCHAR: STRING,
  BYTES,
  DATE,
  TIME,
  TIMESTAMP,
};

const TOKEN = /\s*(=>|->|\.\.\.|[(),<>]|`[^`]+`|[A-Za-z_][A-Za-z0-9_]*|\d+)/y;

/** Reads a signature. Throws `config_invalid` naming the function when the text is not one. */
export function parseSignature(text: string, owner: string): ParsedSignature {
  return new SignatureReader(text, owner).read();
}

class SignatureReader {
  readonly #text: string;
  readonly #owner: string;
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string, owner: string) {
    this.#text = text;
    this.#owner = owner;
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const at = TOKEN.lastIndex;
      const match = TOKEN.exec(text);
      if (!match?.[1]) throw this.#wrong(`unreadable at "${text.slice(at, at + 10)}"`);
      this.#tokens.push(match[1]);
    }
  }

  read(): ParsedSignature {
    this.#expect('(');
    const params: Parameter[] = [];
    if (this.#peek() !== ')') {
      do params.push(this.#parameter());
      while (this.#take(','));
    }
    this.#expect(')');
    this.#expect('->');
    const returns = this.#pattern();
    if (this.#at < this.#tokens.length) throw this.#wrong(`nothing may follow at "${this.#peek()}"`);
    const variadics = params.filter(p => p.variadic).length;
    if (variadics > 1) throw this.#wrong('only one parameter may be variadic');
    return { text: this.#text, params, variadic: params.findIndex(p => p.variadic), returns };
  }

  #parameter(): Parameter {
    if (this.#take('(')) {
      const params: Pattern[] = [];
      if (this.#peek() !== ')') {
        do params.push(this.#pattern());
        while (this.#take(','));
      }
      this.#expect(')');
      this.#expect('=>');
      return { kind: 'lambda', params, body: this.#pattern(), variadic: false };
    }
    const pattern = this.#pattern();
    if (this.#take('=>'))
      return { kind: 'lambda', params: [pattern], body: this.#pattern(), variadic: false };
    return { kind: 'value', pattern, variadic: this.#take('...') };
  }

  #pattern(): Pattern {
    const word = this.#next();
    const name = word.toUpperCase();
    const primitive = PRIMITIVES[name];
    if (primitive) return { p: 'type', type: primitive };
    if (name === 'ANY') return { p: 'any' };
    if (/^[A-Z]$/.test(word)) return { p: 'variable', name: word };
    if (name === 'DECIMAL') return this.#decimal();
    if (name === 'ARRAY') {
      this.#expect('<');
      const element = this.#pattern();
      this.#expect('>');
      return { p: 'array', element };
    }
    if (name === 'MAP') {
      this.#expect('<');
      const key = this.#pattern();
      this.#expect(',');
      const value = this.#pattern();
      this.#expect('>');
      return { p: 'map', key, value };
    }
    if (name === 'STRUCT') return this.#struct();
    throw this.#wrong(`unknown type "${word}"`);
  }

  #decimal(): Pattern {
    if (!this.#take('(')) return { p: 'decimal' };
    const precision = Number(this.#next());
    this.#expect(',');
    const scale = Number(this.#next());
    this.#expect(')');
    if (!(precision >= 1 && precision <= 38 && scale <= precision)) {
      throw this.#wrong(`no such type DECIMAL(${precision}, ${scale})`);
    }
    return { p: 'type', type: decimal(precision, scale) };
  }

  #struct(): Pattern {
    if (!this.#take('<')) return { p: 'struct' };
    const fields: StructField[] = [];
    do {
      const name = this.#next().replaceAll('`', '');
      const pattern = this.#pattern();
      const type = substitute(pattern, new Map());
      if (!type) throw this.#wrong(`field ${name} of a STRUCT needs a full type`);
      fields.push({ name, type });
    } while (this.#take(','));
    this.#expect('>');
    return { p: 'type', type: structOf(fields) };
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw this.#wrong('it ends too early');
    return token;
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    const got = this.#peek();
    if (!this.#take(token)) {
      throw this.#wrong(`expected "${token}" ${got === undefined ? 'at its end' : `before "${got}"`}`);
    }
  }

  #wrong(problem: string): MillraceError {
    return new MillraceError(
      'config_invalid',
      `signature "${this.#text}" of function ${this.#owner} is wrong: ${problem}`,
      {
        hint: 'write it like (STRING, INT...) -> STRING, (ARRAY<T>, T) -> BOOLEAN or (ARRAY<T>, (T) => R) -> ARRAY<R>',
      },
    );
  }
}

/** The pattern as a type under these bindings; null while a hole is open. */
export function substitute(pattern: Pattern, bindings: ReadonlyMap<string, SqlType>): SqlType | null {
  switch (pattern.p) {
    case 'type':
      return pattern.type;
    case 'variable':
      return bindings.get(pattern.name) ?? null;
    case 'array': {
      const element = substitute(pattern.element, bindings);
      return element && Object.freeze({ kind: 'ARRAY', element });
    }
    case 'map': {
      const key = substitute(pattern.key, bindings);
      const value = substitute(pattern.value, bindings);
      return key && value && Object.freeze({ kind: 'MAP', key, value });
    }
    default:
      return null;
  }
}
