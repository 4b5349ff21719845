import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/core/log-record.ts';
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  mapOf,
  type SqlType,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
} from '../../src/core/sql-type.ts';
import { createRowDecoder } from '../../src/decode/row-decoder.ts';
import {
  bytes,
  CSV_FORMAT,
  column,
  decoderOf,
  header,
  JSON_FORMAT,
  KAFKA_FORMAT,
  record,
  source,
  UNWRAPPED_JSON,
} from './source-fixture.ts';

/** Decodes one JSON column `v` out of a value. */
function json(type: SqlType, text: string) {
  const decoded = decoderOf({ columns: [column('V', type)] })(record(text));
  return decoded.ok ? decoded.row[0] : decoded.message;
}

describe('JSON values by declared type', () => {
  it.each([
    [INT, '{"V":10}', 10],
    [INT, '{"V":"10"}', 10],
    [INT, '{"V":1e3}', 1000],
    [INT, '{"V":10.9}', 10],
    [BIGINT, '{"V":9223372036854775807}', 9223372036854775807n],
    [BIGINT, '{"V":"-9223372036854775808"}', -9223372036854775808n],
    [DOUBLE, '{"V":1.5e-3}', 0.0015],
    [
      decimal(38, 18),
      '{"V":12345678901234567890.123456789012345678}',
      12345678901234567890123456789012345678n,
    ],
    [decimal(6, 2), '{"V":1.2e3}', 120000n],
    [decimal(6, 2), '{"V":"12.5"}', 1250n],
    [BOOLEAN, '{"V":true}', true],
    [STRING, '{"V":12.50}', '12.50'],
    [STRING, '{"V":{"a":[1,null]}}', '{"a":[1,null]}'],
    [STRING, '{"V":["x",1,null]}', '[x, 1, null]'],
    [STRING, '{"V":"\\u00e9\\ud83d\\ude00\\ud800"}', 'é😀�'],
    [BYTES, '{"V":"IQ=="}', new Uint8Array([0x21])],
    [DATE, '{"V":19000}', 19000],
    [TIMESTAMP, '{"V":1700000000000}', 1700000000000],
    [DATE, '{"V":"19000"}', 19000],
    [DATE, '{"V":"2022-01-08"}', 19000],
    [TIME, '{"V":"00:00:01.5"}', 1500],
    [TIMESTAMP, '{"V":"2023-11-14T22:13:20.000"}', 1700000000000],
    [TIMESTAMP, '{"V":"2023-11-14T23:13:20+01:00"}', 1700000000000],
    [arrayOf(DATE), '{"V":["1970-01-02",2,null]}', [1, 2, null]],
    [arrayOf(INT), '{"V":[1,null,"2"]}', [1, null, 2]],
    [
      mapOf(STRING, BIGINT),
      '{"V":{"a":1,"b":null}}',
      new Map([
        ['a', 1n],
        ['b', null],
      ]),
    ],
    [
      structOf([
        { name: 'A', type: INT },
        { name: 'b', type: INT },
      ]),
      '{"V":{"a":1,"B":2}}',
      [1, 2],
    ],
    [INT, '{"V":null}', null],
    [INT, '{}', null],
  ])('%o from %s', (type, text, value) => {
    expect(json(type, text)).toEqual(value);
  });

  it.each([
    [INT, '{"V":2147483648}', 'S: value: .V: 2147483648 does not fit INT'],
    [INT, '{"V":"1.0"}', 'S: value: .V: "1.0" is no INT'],
    [DATE, '{"V":"2022-02-30"}', 'S: value: .V: "2022-02-30" is no DATE'],
    [DATE, '{"V":"2022-01-08T00:00:00"}', 'S: value: .V: "2022-01-08T00:00:00" is no DATE'],
    [TIME, '{"V":"24:00"}', 'S: value: .V: "24:00" is no TIME'],
    [TIMESTAMP, '{"V":"soon"}', 'S: value: .V: "soon" is no TIMESTAMP'],
    [BIGINT, '{"V":9223372036854775808}', 'S: value: .V: 9223372036854775808 does not fit BIGINT'],
    [decimal(4, 2), '{"V":1.234}', 'S: value: .V: 1.234 does not fit DECIMAL(4, 2) exactly'],
    [decimal(4, 2), '{"V":100}', 'S: value: .V: 100 does not fit DECIMAL(4, 2)'],
    [decimal(4, 2), '{"V":1e999999}', 'S: value: .V: number "1e999999" has too many digits'],
    [BOOLEAN, '{"V":"true"}', 'S: value: .V: cannot read a string as BOOLEAN'],
    [arrayOf(arrayOf(INT)), '{"V":[[1],[2,true]]}', 'S: value: .V[1][1]: cannot read a boolean as INT'],
    [INT, '{"V":1', 'S: value: expected "," or "}" at byte 6'],
    [INT, '{"V":01}', 'S: value: expected "," or "}" at byte 6'],
    [INT, '{"V":1} x', 'S: value: unexpected text after the JSON value at byte 8'],
    [INT, '[1]', 'S: value: expected a JSON object, found an array'],
    [INT, '', 'S: value: unexpected end of JSON at byte 0'],
    [INT, '['.repeat(100_000), 'S: value: JSON nested deeper than 200 at byte 201'],
  ])('%o refuses %s', (type, text, message) => {
    expect(json(type, text)).toBe(message);
  });

  it('prefers the field of exactly the name, else finds it without case', () => {
    expect(json(INT, '{"v":1,"V":2}')).toBe(2);
    expect(json(INT, '{"v":1}')).toBe(1);
  });

  it('refuses bytes that are not UTF-8', () => {
    const value = new Uint8Array([...bytes('{"V":"'), 0xff, ...bytes('"}')]);
    expect(decoderOf({ columns: [column('V', STRING)] })(record(value))).toMatchObject({
      ok: false,
      reason: 'undecodable',
      message: 'S: value: text is not UTF-8 at byte 6',
    });
  });
});

describe('keys and values', () => {
  const keyed = [column('K', INT, 'key'), column('V', STRING)];

  it('reads a single JSON key without an object, several from one', () => {
    const one = decoderOf({ columns: keyed, keyFormat: JSON_FORMAT });
    expect(one(record('{"V":"x"}', { key: bytes('7') }))).toMatchObject({ row: [7, 'x'] });
    const two = decoderOf({
      columns: [column('A', INT, 'key'), column('B', STRING, 'key'), column('V', STRING)],
      keyFormat: JSON_FORMAT,
    });
    expect(two(record('{"V":"x"}', { key: bytes('{"a":1,"B":"b"}') }))).toMatchObject({ row: [1, 'b', 'x'] });
  });

  it('reads Kafka primitives big-endian and refuses other sizes', () => {
    const decode = decoderOf({ columns: keyed, keyFormat: KAFKA_FORMAT });
    expect(decode(record('{}', { key: new Uint8Array([0, 0, 1, 2]) }))).toMatchObject({ row: [258, null] });
    expect(decode(record('{}', { key: bytes('7') }))).toMatchObject({
      ok: false,
      message: 'S: key: INT takes 4 bytes, not 1',
    });
  });

  it('a stream row without value differs from a row of NULLs', () => {
    const decode = decoderOf({ columns: keyed });
    expect(decode(record(null))).toMatchObject({ row: [null, null], noValue: true });
    expect(decode(record('null'))).toMatchObject({ row: [null, null], noValue: true });
    expect(decode(record('{}'))).toMatchObject({ row: [null, null], noValue: false });
  });

  it('a table record needs a key', () => {
    const decode = decoderOf({ kind: 'table', columns: keyed });
    expect(decode(record('{}'))).toMatchObject({ ok: false, reason: 'null_key' });
  });

  it('an unwrapped single column stands alone', () => {
    const decode = decoderOf({ columns: [column('V', INT)], valueFormat: UNWRAPPED_JSON });
    expect(decode(record('12'))).toMatchObject({ row: [12] });
  });

  it('splits windowed keys', () => {
    const key = new Uint8Array([...bytes('k'), 0, 0, 0, 0, 0, 0, 0x03, 0xe8]);
    const decode = decoderOf(
      { columns: [column('K', STRING, 'key')], window: { type: 'tumbling', size: 500 } },
      ['WINDOWSTART', 'WINDOWEND'],
    );
    expect(decode(record('{}', { key }))).toMatchObject({ row: ['k', 1000n, 1500n] });
  });

  it('gives headers, the last of one name, partition and offset', () => {
    const decode = decoderOf(
      {
        columns: [
          { ...column('H', BYTES, 'header'), header: 'a' },
          column('ALL', arrayOf(structOf([{ name: 'KEY', type: STRING }])), 'headers'),
        ],
      },
      ['ROWPARTITION', 'ROWOFFSET'],
    );
    const headers = [header('a', '1'), header('b', null), header('a', '2')];
    expect(decode(record('{}', { headers, partition: 3, offset: 9 }))).toMatchObject({
      row: [
        bytes('2'),
        [
          ['a', bytes('1')],
          ['b', null],
          ['a', bytes('2')],
        ],
        3,
        9n,
      ],
    });
  });
});

describe('DELIMITED', () => {
  const decode = decoderOf({
    columns: [column('A', INT), column('B', STRING), column('C', decimal(6, 2))],
    valueFormat: CSV_FORMAT,
  });

  it.each([
    ['1,x,2.5', [1, 'x', 250n]],
    ['1,"x, ""y""\n",.5', [1, 'x, "y"\n', 50n]],
    [',,', [null, null, null]],
    ['1, x ,"2"', [1, ' x ', 200n]],
  ])('%j', (text, row) => {
    expect(decode(record(text))).toMatchObject({ ok: true, row });
  });

  it.each([
    ['1,x', 'S: value: expected 3 fields, found 2'],
    ['', 'S: value: no fields in the record'],
    ['x,x,1', 'S: value: A: "x" is no INT'],
    ['"1,x,1', 'S: value: quoted field without end at character 0'],
    ['"1"2,x,1', 'S: value: unexpected text after a quoted field at character 3'],
  ])('%j is refused', (text, message) => {
    expect(decode(record(text))).toMatchObject({ ok: false, message });
  });
});

describe('event time', () => {
  const timed = (type: SqlType, format: string | null) =>
    decoderOf({ columns: [column('T', type)], timestamp: { column: 'T', format } });

  it('is the record time, or that of the declared column', () => {
    expect(decoderOf({ columns: [] })(record('{}'))).toMatchObject({ rowtime: 1000 });
    expect(timed(BIGINT, null)(record('{"T":77}'))).toMatchObject({ rowtime: 77 });
    expect(timed(STRING, 'x')(record('{"T":"1970-01-02T00:00:00Z"}'))).toMatchObject({ rowtime: 86400000 });
    expect(timed(BIGINT, null)(record(null))).toMatchObject({ rowtime: 1000, noValue: true });
  });

  it('a row without its time is undecodable', () => {
    expect(timed(BIGINT, null)(record('{}'))).toMatchObject({ ok: false, reason: 'undecodable' });
    expect(timed(STRING, 'x')(record('{"T":"?"}'))).toMatchObject({ ok: false, reason: 'undecodable' });
    expect(timed(BIGINT, null)(record('{"T":-1}'))).toMatchObject({ ok: false, reason: 'undecodable' });
  });
});

it('an upcaster lifts the record before decoding', () => {
  const upcast = (r: LogRecord) => ({ ...r, value: bytes('{"V":2}') });
  const decode = decoderOf({ columns: [column('V', INT)] }, [], upcast);
  expect(decode(record('{"old":1}'))).toMatchObject({ row: [2] });
});

it('an upcaster that throws makes the record undecodable, nothing else', () => {
  const upcast = () => {
    throw new TypeError('no such version');
  };
  expect(decoderOf({ columns: [column('V', INT)] }, [], upcast)(record('{"V":1}'))).toMatchObject({
    ok: false,
    reason: 'undecodable',
    message: 'S: the upcaster failed: no such version',
  });
});

it('columns that nobody reads may hold anything', () => {
  const columns = [column('A', INT), column('B', INT)];
  const schema = { columns: columns.slice(1), key: [], windowed: false };
  const decode = createRowDecoder({ source: source({ columns }), schema, timestampParser: () => () => null });
  expect(decode(record('{"A":"x","B":2}'))).toMatchObject({ row: [2] });
});

describe('texts and numbers of any length are answered at once', () => {
  const digits = '1'.repeat(1_000_000);

  it.each([
    [DOUBLE, `"${digits}x"`, 'no DOUBLE'],
    [INT, `"${digits}x"`, 'no INT'],
    [INT, digits, 'too many digits'],
    [decimal(10, 2), digits, 'too many digits'],
    [decimal(10, 2), `"${digits}x"`, 'is no number'],
    [BYTES, `"${'A'.repeat(1_000_000)}!"`, 'not base64'],
  ])('%o', (type, text, message) => {
    expect(json(type, `{"V":${text}}`)).toContain(message);
  });

  it('a STRING takes the digits as they are', () => {
    expect(json(STRING, `{"V":${digits}}`)).toBe(digits);
  });
});
