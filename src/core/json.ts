import { MillraceError } from './errors.ts';

/**
 * JSON read exactly: numbers keep the text they were written with (so money and 64-bit integers never pass through a
 * float), objects are maps in order of their members (so no name is special). Depth and size are bounded.
 */
export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

export type JsonObject = ReadonlyMap<string, Json>;

/** A number as its text, which matches the JSON grammar. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** JSON as JavaScript writes it; for callers that build trees. Numbers must be safe integers or go as bigint. */
export type PlainJson =
  | null
  | boolean
  | string
  | number
  | bigint
  | readonly PlainJson[]
  | { readonly [name: string]: PlainJson | undefined };

export interface JsonLimits {
  /** nested arrays and objects; default 64 */
  readonly maxDepth?: number | undefined;
  /** bytes (or UTF-16 units of a text); default 1 MiB */
  readonly maxSize?: number | undefined;
  /** whether the last of equal member names wins; else the text is refused */
  readonly repeatedNames?: boolean | undefined;
  /** whether anything may follow the value; else the text is refused */
  readonly trailingText?: boolean | undefined;
}

const DEFAULT_DEPTH = 64;
const DEFAULT_SIZE = 1 << 20;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads one JSON text. Throws `value_undecodable` with the place of the fault. */
export function parseJson(input: Uint8Array | string, limits: JsonLimits = {}): Json {
  const maxSize = limits.maxSize ?? DEFAULT_SIZE;
  if (input.length > maxSize) {
    throw new MillraceError('value_undecodable', `JSON of ${input.length} bytes exceeds ${maxSize}`);
  }
  let text: string;
  if (typeof input === 'string') text = input;
  else {
    try {
      text = utf8.decode(input);
    } catch (cause) {
      throw new MillraceError('value_undecodable', 'the bytes are not UTF-8 text', { cause });
    }
  }
  return new Parser(text, limits).whole();
}

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #limits: JsonLimits;
  #at = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#maxDepth = limits.maxDepth ?? DEFAULT_DEPTH;
    this.#limits = limits;
  }

  whole(): Json {
    const value = this.#value(0);
    if (this.#limits.trailingText) return value;
    this.#space();
    if (this.#at < this.#text.length) this.#fail('expected the end of the text');
    return value;
  }

  #value(depth: number): Json {
    this.#space();
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object(depth + 1);
      case 0x5b:
        return this.#array(depth + 1);
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth);
    const members = new Map<string, Json>();
    if (this.#skip('}')) return members;
    do {
      this.#space();
      const nameAt = this.#at;
      if (this.#text[this.#at] !== '"') this.#fail('expected a member name in double quotes');
      const name = this.#string();
      if (!this.#limits.repeatedNames && members.has(name)) {
        this.#fail(`member "${name.slice(0, 60)}" stands twice`, nameAt);
      }
      this.#expect(':');
      members.set(name, this.#value(depth));
    } while (this.#skip(','));
    this.#expect('}');
    return members;
  }

  #array(depth: number): Json[] {
    this.#enter(depth);
    const elements: Json[] = [];
    if (this.#skip(']')) return elements;
    do elements.push(this.#value(depth));
    while (this.#skip(','));
    this.#expect(']');
    return elements;
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) this.#fail(`nested deeper than ${this.#maxDepth}`);
    this.#at++;
  }

  #string(): string {
    const text = this.#text;
    const start = ++this.#at;
    let result = '';
    let from = start;
    for (;;) {
      const c = text.charCodeAt(this.#at);
      if (c === 0x22) {
        result += text.slice(from, this.#at++);
        return result;
      }
      if (c === 0x5c) {
        result += text.slice(from, this.#at) + this.#escape();
        from = this.#at;
      } else if (c >= 0x20) this.#at++;
      else this.#fail(Number.isNaN(c) ? 'the string does not end' : 'a control character in a string');
    }
  }

  #escape(): string {
    const escapes = '"\\/bfnrt';
    const c = this.#text[this.#at + 1] ?? '';
    const simple = c === '' ? -1 : escapes.indexOf(c);
    if (simple >= 0) {
      this.#at += 2;
      return '"\\/\b\f\n\r\t'[simple] ?? '';
    }
    const hex = this.#text.slice(this.#at + 2, this.#at + 6);
    if (c !== 'u' || !/^[0-9a-fA-F]{4}$/.test(hex)) this.#fail('an unknown escape in a string');
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined) {
      this.#fail(this.#at >= this.#text.length ? 'the text ends too early' : 'expected a value');
    }
    this.#at += text.length;
    return new JsonNumber(text);
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('expected a value');
    this.#at += word.length;
    return value;
  }

  #space(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at++;
    }
  }

  #skip(char: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #expect(char: string): void {
    if (!this.#skip(char)) this.#fail(`expected "${char}"`);
  }

  #fail(message: string, at = this.#at): never {
    throw new MillraceError('value_undecodable', `not JSON: ${message}`, {
      place: { source: { file: '<json>', text: this.#text }, span: { start: at, end: at + 1 } },
      data: { offset: at },
    });
  }
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

/** The tree of a JavaScript value; members that are undefined are left out. */
export function jsonOf(plain: PlainJson): Json {
  if (plain === null || typeof plain === 'boolean' || typeof plain === 'string') return plain;
  if (typeof plain === 'bigint') return new JsonNumber(plain.toString());
  if (typeof plain === 'number') {
    if (!Number.isSafeInteger(plain)) {
      throw new MillraceError('value_undecodable', `${plain} is not an exact integer`, {
        hint: 'pass decimals as strings',
      });
    }
    return new JsonNumber(plain.toString());
  }
  if (isPlainArray(plain)) return plain.map(jsonOf);
  const members = new Map<string, Json>();
  for (const [name, value] of Object.entries(plain))
    if (value !== undefined) members.set(name, jsonOf(value));
  return members;
}

function isPlainArray(plain: PlainJson): plain is readonly PlainJson[] {
  return Array.isArray(plain);
}

/** The tree as compact JSON text; numbers exactly as they were read. */
export function jsonText(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof Map) {
    const members: string[] = [];
    for (const [name, member] of value) members.push(`${JSON.stringify(name)}:${jsonText(member)}`);
    return `{${members.join(',')}}`;
  }
  return `[${(value as readonly Json[]).map(jsonText).join(',')}]`;
}
