import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../src/decode/decode-error.ts';
import { readJson } from '../../src/decode/json-reader.ts';
import { isJsonArray, JsonNumber, type JsonValue, jsonText } from '../../src/decode/json-value.ts';
import { bytes } from './source-fixture.ts';

/** The tree as JSON.parse would give it. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (value === null || typeof value !== 'object') return value;
  if (isJsonArray(value)) return value.map(plain);
  return Object.fromEntries([...value].map(([name, v]) => [name, plain(v)]));
}

function readOrNull(text: string): { readonly value: unknown } | null {
  try {
    return { value: plain(readJson(bytes(text))) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return null;
  }
}

function parseOrNull(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

describe('the JSON reader', () => {
  it('reads every JSON text as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), text => {
        expect(readOrNull(text)).toEqual(parseOrNull(text));
      }),
    );
  });

  it('accepts a damaged text exactly when JSON.parse does', () => {
    const damaged = fc
      .tuple(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom(
          '',
          ',',
          ':',
          '"',
          '\\',
          '{',
          '}',
          '[',
          ']',
          '-',
          '.',
          'e',
          '0',
          '1',
          'n',
          ' ',
          '\n',
          '\u0001',
          'é',
        ),
      )
      .map(([text, at, piece]) => {
        const i = at % (text.length + 1);
        return text.slice(0, i) + piece + text.slice(i + (at % 2));
      })
      .filter(text => text.isWellFormed());
    fc.assert(
      fc.property(damaged, text => {
        expect(readOrNull(text)).toEqual(parseOrNull(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps the digits of numbers', () => {
    const text = '[1.10,-0,12345678901234567890,1E+400,0.1e-7]';
    expect(jsonText(readJson(bytes(text)))).toBe(text);
  });

  it('never hangs or crashes on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), input => {
        try {
          readJson(input);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});
