import { describe, expect, test } from 'vitest';
import { errorText, MillraceError } from '../../src/core/errors.ts';
import { JsonNumber, jsonOf, jsonText, parseJson } from '../../src/core/json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof MillraceError) return errorText(error);
    throw error;
  }
  throw new Error('expected a refusal');
}

describe('exact JSON', () => {
  test('a number keeps its text, beyond what a float can hold', () => {
    expect(parseJson(bytes('0.10000000000000000005'))).toEqual(new JsonNumber('0.10000000000000000005'));
    expect(parseJson(bytes('9007199254740993'))).toEqual(new JsonNumber('9007199254740993'));
  });

  test.each([
    '{"a":[1,-2.50,1e3],"b":{"c":null,"d":true,"e":false}}',
    '"snow \\u2603, line\\nbreak, quote \\" and 😀"',
    '[]',
    '{}',
    '  [ 1 , { "x" : "y" } ]  ',
    '{"__proto__":1,"constructor":2}',
  ])('%s reads and writes as JSON.parse does', text => {
    expect(JSON.parse(jsonText(parseJson(bytes(text))))).toEqual(JSON.parse(text));
  });

  test.each([
    ['', 'the text ends too early'],
    ['{"a":1', 'expected "}"'],
    ['{"a" 1}', 'expected ":"'],
    ['{a:1}', 'a member name in double quotes'],
    ['{"a":1,"a":2}', 'member "a" stands twice'],
    ['[1,]', 'expected a value'],
    ['01', 'expected the end'],
    ['1.', 'expected the end'],
    ['-', 'expected a value'],
    ['nul', 'expected a value'],
    ['"abc', 'the string does not end'],
    ['"a\nb"', 'a control character'],
    ['"\\x"', 'an unknown escape'],
    ['1 2', 'expected the end'],
  ])('%s is refused: %s', (text, message) => {
    expect(refusal(() => parseJson(bytes(text)))).toContain(message);
  });

  test('a refusal shows the place', () => {
    expect(refusal(() => parseJson(bytes('{"a":1,\n "b": oops}')))).toContain('<json>:2:7');
  });

  test('bytes that are no UTF-8, deep nesting and great size are refused', () => {
    expect(refusal(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)))).toContain('not UTF-8');
    expect(refusal(() => parseJson('['.repeat(100_000)))).toContain('nested deeper than 64');
    expect(refusal(() => parseJson(' '.repeat(11), { maxSize: 10 }))).toContain('exceeds 10');
  });

  test('a tree from JavaScript refuses numbers that are not exact', () => {
    expect(jsonText(jsonOf({ a: 1, b: [2n ** 63n, 'x'], c: undefined, d: null }))).toBe(
      '{"a":1,"b":[9223372036854775808,"x"],"d":null}',
    );
    expect(refusal(() => jsonOf({ price: 0.1 }))).toContain('not an exact integer');
  });
});
