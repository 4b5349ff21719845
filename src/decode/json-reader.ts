import { fail } from './decode-error.ts';
import { JsonNumber, type JsonValue } from './json-value.ts';

/** Nesting beyond this is refused, so that no record can exhaust the stack. */
const MAX_JSON_DEPTH = 200;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder('latin1');

/**
 * Reads one JSON text (RFC 8259) from bytes. Numbers keep their digits. Throws DecodeError with the byte offset where
 * the text stops being JSON. Lone surrogates in escapes become U+FFFD.
 */
export function readJson(bytes: Uint8Array): JsonValue {
  return new JsonReader(bytes).readAll();
}

class JsonReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readAll(): JsonValue {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#bytes.length) this.#fail('unexpected text after the JSON value');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > MAX_JSON_DEPTH) this.#fail(`JSON nested deeper than ${MAX_JSON_DEPTH}`);
    this.#space();
    switch (this.#bytes[this.#at]) {
      case 0x7b: // {
        return this.#object(depth);
      case 0x5b: // [
        return this.#array(depth);
      case 0x22: // "
        return this.#string();
      case 0x74: // t
        return this.#word('true', true);
      case 0x66: // f
        return this.#word('false', false);
      case 0x6e: // n
        return this.#word('null', null);
      case undefined:
        return this.#fail('unexpected end of JSON');
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonValue {
    const fields = new Map<string, JsonValue>();
    this.#at++;
    this.#space();
    if (this.#take(0x7d)) return fields;
    for (;;) {
      this.#space();
      if (this.#bytes[this.#at] !== 0x22) this.#fail('expected a field name');
      const name = this.#string();
      this.#space();
      if (!this.#take(0x3a)) this.#fail('expected ":"');
      fields.set(name, this.#value(depth + 1));
      this.#space();
      if (this.#take(0x7d)) return fields;
      if (!this.#take(0x2c)) this.#fail('expected "," or "}"');
    }
  }

  #array(depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#at++;
    this.#space();
    if (this.#take(0x5d)) return items;
    for (;;) {
      items.push(this.#value(depth + 1));
      this.#space();
      if (this.#take(0x5d)) return items;
      if (!this.#take(0x2c)) this.#fail('expected "," or "]"');
    }
  }

  #string(): string {
    const bytes = this.#bytes;
    let start = ++this.#at;
    let text = '';
    let escaped = false;
    for (;;) {
      const b = bytes[this.#at];
      if (b === 0x22) {
        text += this.#text(start, this.#at);
        this.#at++;
        return escaped ? text.toWellFormed() : text;
      }
      if (b === undefined) this.#fail('string without end');
      if (b < 0x20) this.#fail('control character in a string');
      if (b === 0x5c) {
        text += this.#text(start, this.#at);
        text += this.#escape();
        escaped = true;
        start = this.#at;
      } else {
        this.#at++;
      }
    }
  }

  #escape(): string {
    const b = this.#bytes[this.#at + 1];
    if (b === 0x75) {
      const hex = this.#ascii(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.#fail('bad \\u escape');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const char = b === undefined ? undefined : ESCAPES.get(b);
    if (char === undefined) this.#fail('bad escape');
    this.#at += 2;
    return char;
  }

  #number(): JsonNumber {
    const bytes = this.#bytes;
    const start = this.#at;
    this.#take(0x2d);
    if (!this.#take(0x30) && !this.#digits()) this.#fail('unexpected character');
    if (this.#take(0x2e) && !this.#digits()) this.#fail('expected a digit');
    if (bytes[this.#at] === 0x65 || bytes[this.#at] === 0x45) {
      this.#at++;
      if (!this.#take(0x2b)) this.#take(0x2d);
      if (!this.#digits()) this.#fail('expected a digit');
    }
    return new JsonNumber(this.#ascii(start, this.#at));
  }

  #digits(): boolean {
    const start = this.#at;
    for (let b = this.#bytes[this.#at]; b !== undefined && b >= 0x30 && b <= 0x39; ) {
      b = this.#bytes[++this.#at];
    }
    return this.#at > start;
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (this.#ascii(this.#at, this.#at + word.length) !== word) this.#fail('unexpected character');
    this.#at += word.length;
    return value;
  }

  #text(start: number, end: number): string {
    if (start === end) return '';
    try {
      return utf8.decode(this.#bytes.subarray(start, end));
    } catch {
      this.#at = start;
      return this.#fail('text is not UTF-8');
    }
  }

  #ascii(start: number, end: number): string {
    return latin1.decode(this.#bytes.subarray(start, end));
  }

  #space(): void {
    for (;;) {
      const b = this.#bytes[this.#at];
      if (b !== 0x20 && b !== 0x0a && b !== 0x0d && b !== 0x09) return;
      this.#at++;
    }
  }

  #take(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #fail(message: string): never {
    return fail(`${message} at byte ${this.#at}`);
  }
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x22, '"'],
  [0x5c, '\\'],
  [0x2f, '/'],
  [0x62, '\b'],
  [0x66, '\f'],
  [0x6e, '\n'],
  [0x72, '\r'],
  [0x74, '\t'],
]);
