import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Vec } from '../../../src/core/batch.ts';
import { recordAt } from '../../../src/core/log-record.ts';
import { SlicePool } from '../../../src/core/pool.ts';
import type { Schema } from '../../../src/core/schema.ts';
import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  type SqlType,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
} from '../../../src/core/sql-type.ts';
import { valueAt } from '../../../src/core/vec.ts';
import { createBlockDecoder } from '../../../src/decode/columns/block-decoder.ts';
import { createRowDecoder, type RowDecoderOptions, type Upcaster } from '../../../src/decode/row-decoder.ts';
import { blockOf } from '../../../src/log/record-block.ts';
import type { FormatName, SourceSpec } from '../../../src/plan/plan.ts';

const utf8 = new TextEncoder();
const spec = (format: FormatName) => ({ format, delimiter: ',', wrapSingle: true });

function source(
  columns: readonly (readonly [name: string, type: SqlType, from?: 'key'])[],
  more: Partial<SourceSpec> = {},
): SourceSpec {
  return {
    kind: 'stream',
    name: 'S',
    topic: 's',
    columns: columns.map(([name, type, from]) => ({ name, type, from: from ?? 'value', header: null })),
    keyFormat: spec('KAFKA'),
    valueFormat: spec('JSON'),
    timestamp: null,
    partitions: 1,
    window: null,
    description: '',
    ...more,
  };
}

const PSEUDO: Readonly<Record<string, SqlType>> = { ROWPARTITION: INT, ROWOFFSET: BIGINT };

function schemaOf(spec: SourceSpec, names: readonly string[] = spec.columns.map(c => c.name)): Schema {
  return {
    columns: names.map(name => ({
      name,
      type: spec.columns.find(c => c.name === name)?.type ?? PSEUDO[name] ?? INT,
    })),
    key: [],
    windowed: false,
  };
}

type Raw = readonly [key: string | Uint8Array | null, value: string | Uint8Array | null];
const bytes = (raw: string | Uint8Array | null) => (typeof raw === 'string' ? utf8.encode(raw) : raw);

/** Both decoders over the same records: what the block decoder says, after checking that the row decoder agrees. */
function decodeBoth(
  spec: SourceSpec,
  raws: readonly Raw[],
  schema = schemaOf(spec),
  upcast: Upcaster | undefined = undefined,
) {
  const options: RowDecoderOptions = { source: spec, schema, timestampParser: () => () => null, upcast };
  const block = blockOf(
    raws.map(([key, value], i) => ({
      seq: i,
      topic: 's',
      partition: 0,
      offset: i,
      timestamp: 1000 + i,
      appendTime: 0,
      key: bytes(key),
      value: bytes(value),
      headers: [],
    })),
  );
  const all = Int32Array.from(raws.keys());
  const decoder = createBlockDecoder(options);
  // the first time somebody groups by the texts, so that the second time they are numbered while they are decoded
  for (const vec of decoder.decode(block, all, raws.length).cols) numbersOf(vec, 0);
  const decoded = decoder.decode(block, all, raws.length);
  const rows = Array.from({ length: decoded.n }, (_, r) => ({
    record: decoded.record[r],
    row: schema.columns.map((c, at) => valueAt(decoded.cols[at]!, c.type, r)),
    rowtime: decoded.rowtime[r],
    noValue: decoded.noValue !== null && ((decoded.noValue[r >> 5]! >>> (r & 31)) & 1) === 1,
  }));
  const decodeRow = createRowDecoder(options);
  const expectedRows: typeof rows = [];
  const expectedFailures: { record: number; reason: string; message: string }[] = [];
  for (const i of raws.keys()) {
    const row = decodeRow(recordAt(block, i));
    if (row.ok)
      expectedRows.push({ record: i, row: [...row.row], rowtime: row.rowtime, noValue: row.noValue });
    else expectedFailures.push({ record: i, reason: row.reason, message: row.message });
  }
  for (const [at, vec] of decoded.cols.entries()) {
    const texts = rows.map(r => (r.row[at] === null ? null : String(r.row[at])));
    const numbered = new Map<number, string>();
    for (const [r, number] of numbersOf(vec, decoded.n).entries()) {
      const text = texts[r];
      if (typeof text !== 'string') continue;
      expect(numbered.get(number) ?? text).toBe(text);
      numbered.set(number, text);
    }
    if (vec.t === 'str') expect(numbered.size).toBe(new Set(texts.filter(t => t !== null)).size);
  }
  expect(rows).toEqual(expectedRows);
  expect(decoded.failures).toEqual(expectedFailures);
  return { rows: rows.map(r => r.row), failures: decoded.failures };
}

const USERS = [{}, {}] as const;

/** The numbers of the first n texts of a column, as two users of it see them. */
function numbersOf(vec: Vec, n: number): number[] {
  if (vec.t !== 'str' || !(vec.pool instanceof SlicePool)) return [];
  vec.pool.keys(USERS[0]);
  const keys = vec.pool.keys(USERS[1]);
  return Array.from({ length: keys === null ? 0 : n }, (_, r) => {
    const id = vec.v[r]!;
    return keys!.known[id]! || keys!.of(id);
  });
}

const EVERY = source([
  ['I', INT],
  ['B', BIGINT],
  ['M', decimal(10, 2)],
  ['W', decimal(18, 4)],
  ['D', DOUBLE],
  ['S', STRING],
  ['F', BOOLEAN],
  ['T', TIMESTAMP],
]);

describe('plain JSON', () => {
  test('every scalar type is read exactly', () => {
    const { rows } = decodeBoth(EVERY, [
      [null, '{"I":-5,"B":9007199254740993,"M":12.5,"W":-0.0001,"D":0.1,"S":"x","F":true,"T":17}'],
      [null, '{"i":1,"b":-1,"m":-99999999.99,"w":3,"d":-0,"s":12.50,"f":false,"t":null}'],
    ]);
    expect(rows).toEqual([
      [-5, 9007199254740993n, 1250n, -1n, 0.1, 'x', true, 17],
      [1, -1n, -9999999999n, 30000n, -0, '12.50', false, null],
    ]);
  });

  test('days and times are read from numbers and from text', () => {
    const days = source([
      ['D', DATE],
      ['O', TIME],
      ['T', TIMESTAMP],
    ]);
    const { rows, failures } = decodeBoth(days, [
      [null, '{"D":1,"O":1500,"T":17}'],
      [null, '{"D":"1970-01-02","O":"00:00:01.500","T":"1970-01-01T00:00:00.017"}'],
      [null, '{"D":"1970-01-99","O":0,"T":0}'],
    ]);
    expect(rows).toEqual([
      [1, 1500, 17],
      [1, 1500, 17],
    ]);
    expect(failures).toHaveLength(1);
  });

  test('numbers are read from text of digits, and from nothing else', () => {
    const { rows } = decodeBoth(EVERY, [
      [null, '{"I":"-5","B":"9007199254740991","M":"0012.50","W":"-3","D":"1.25","T":"17"}'],
      [null, '{"I":"+5","B":"9007199254740993","M":".5","W":"1e2","D":" 7 ","T":"0"}'],
    ]);
    expect(rows.map(r => r.slice(0, 5))).toEqual([
      [-5, 9007199254740991n, 1250n, -30000n, 1.25],
      [5, 9007199254740993n, 50n, 1000000n, 7],
    ]);
    for (const text of ['1.5', '', '-', '12x', '1 2', 'NaN', '12\\u0030', '99999999999', '1.', '--1', 'é']) {
      for (const name of ['I', 'B', 'M', 'W', 'D', 'T', 'F'])
        decodeBoth(EVERY, [[null, `{"${name}":"${text}"}`]]);
    }
  });

  test('days and times that are not quite', () => {
    const days = source([
      ['D', DATE],
      ['O', TIME],
      ['T', TIMESTAMP],
    ]);
    const dates = [
      '2024-02-29',
      '2023-02-29',
      '2024-13-01',
      '2024-00-10',
      '2024-1-01',
      '2024-01-01 ',
      '0000-01-01',
      '2024',
    ];
    const times = [
      '23:59:59',
      '24:00:00',
      '12:60:00',
      '12:00',
      '12:00:00.',
      '12:00:00.1',
      '12:00:00.123456789',
      '1x:00:00',
    ];
    const zones = ['', 'Z', '+02:00', ' Z', '-0130', 'z'];
    const raws: Raw[] = [];
    for (const d of dates)
      for (const t of times) {
        for (const z of zones) {
          for (const between of ['T', ' ', '-']) raws.push([null, `{"T":"${d}${between}${t}${z}"}`]);
          raws.push([null, `{"O":"${t}${z}"}`]);
        }
        raws.push([null, `{"D":"${d}","O":"${t}"}`], [null, `{"T":"${d}"}`], [null, `{"D":"${d}"}`]);
      }
    decodeBoth(days, raws);
  });

  test('records that an upcaster leaves alone, changes, or fails at', () => {
    const upcast: Upcaster = record => {
      const text = Buffer.from(record.value ?? []).toString();
      if (text.includes('bad')) throw new Error('cannot lift it');
      return text.includes('old') ? { ...record, value: utf8.encode('{"I":1,"S":"lifted"}') } : record;
    };
    const { rows, failures } = decodeBoth(
      EVERY,
      [
        [null, '{"I":7,"S":"new"}'],
        [null, '{"I":8,"S":"old"}'],
        [null, '{"I":9,"S":"bad"}'],
      ],
      schemaOf(EVERY, ['I', 'S']),
      upcast,
    );
    expect(rows).toEqual([
      [7, 'new'],
      [1, 'lifted'],
    ]);
    expect(failures).toHaveLength(1);
  });

  test('columns that nobody reads may hold anything that is JSON', () => {
    const { rows, failures } = decodeBoth(
      EVERY,
      [
        [null, '{"I":1,"S":{"deep":[1,{"x":"\\"\\u00e9"},-1.5e+3]},"M":"no number"}'],
        [null, '{"I":2,"S":[1,]}'],
        [null, '{"I":3,"S":"\\x"}'],
      ],
      schemaOf(EVERY, ['I']),
    );
    expect(rows).toEqual([[1]]);
    expect(failures).toHaveLength(2);
  });

  test('a NULL left by a failed record does not stay in the row after it', () => {
    const { rows } = decodeBoth(EVERY, [
      [null, '{"I":null,"B":"?"}'],
      [null, '{"I":7}'],
    ]);
    expect(rows[0]?.[0]).toBe(7);
  });

  test('columns that differ by case only are told apart', () => {
    const both = source([
      ['a', INT],
      ['A', INT],
    ]);
    expect(decodeBoth(both, [[null, '{"a":1,"A":2}']]).rows).toEqual([[1, 2]]);
  });

  test('the timestamp column gives the event time', () => {
    const timed = source([['T', BIGINT]], { timestamp: { column: 'T', format: null } });
    decodeBoth(timed, [
      [null, '{"T":123456}'],
      [null, '{"T":-1}'],
      [null, '{"T":null}'],
    ]);
    const hidden = source(
      [
        ['I', INT],
        ['T', BIGINT],
      ],
      { timestamp: { column: 'T', format: null } },
    );
    decodeBoth(hidden, [[null, '{"I":1,"T":123}']], schemaOf(hidden, ['I']));
  });
});

describe('keys', () => {
  const table = (type: SqlType, format: FormatName) =>
    source(
      [
        ['K', type, 'key'],
        ['V', INT],
      ],
      { kind: 'table', keyFormat: spec(format) },
    );

  test('KAFKA text, numbers, and a table record without key', () => {
    decodeBoth(table(STRING, 'KAFKA'), [
      ['a', '{"V":1}'],
      ['ä', '{"V":1}'],
      [null, '{"V":1}'],
      ['a', null],
    ]);
    decodeBoth(table(INT, 'KAFKA'), [
      [Uint8Array.of(255, 0, 0, 1), '{"V":1}'],
      ['abc', '{"V":1}'],
    ]);
    decodeBoth(table(BIGINT, 'KAFKA'), [[Uint8Array.of(255, 0, 0, 1, 128, 0, 0, 2), '{"V":1}']]);
  });

  test('values in the KAFKA format', () => {
    const of = (type: SqlType) => source([['V', type]], { valueFormat: spec('KAFKA') });
    const raws: Raw[] = [
      [null, 'plain'],
      [null, 'zoë'],
      [null, Uint8Array.of(255)],
      [null, ''],
      [null, null],
      [null, Uint8Array.of(0, 0, 1, 2)],
      [null, Uint8Array.of(255, 0, 0, 1, 128, 0, 0, 2)],
    ];
    for (const type of [STRING, INT, BIGINT, DOUBLE]) decodeBoth(of(type), raws);
    decodeBoth(of(STRING), raws, schemaOf(of(STRING), []));
  });

  test('JSON values', () => {
    decodeBoth(table(STRING, 'JSON'), [
      ['"a"', '{"V":1}'],
      [' 12 ', '{"V":1}'],
      ['null', '{"V":1}'],
      ['"', '{}'],
    ]);
    decodeBoth(table(decimal(6, 2), 'JSON'), [
      ['12.5', '{"V":1}'],
      ['"12.5"', '{"V":1}'],
      ['true', '{"V":1}'],
    ]);
  });
});

test('any JSON, well formed or not, is read as the row decoder reads it', () => {
  const nested = source([
    ['I', INT],
    ['M', decimal(5, 1)],
    ['D', DOUBLE],
    ['S', STRING],
    ['F', BOOLEAN],
    ['L', arrayOf(INT)],
  ]);
  const scalar = fc.oneof(
    fc.constantFrom(
      'null',
      'true',
      'false',
      '0',
      '-0',
      '01',
      '1.',
      '1e2',
      '-',
      '""',
      '"\\u00e9"',
      '[]',
      '[1,2]',
    ),
    fc.constantFrom(
      '{"I":1}',
      '12.34',
      '12.3',
      '99999.9',
      '123456',
      '"12"',
      '1234567890123456789',
      'nul',
      '',
    ),
    fc.double().map(d => String(d)),
    fc.integer().map(String),
    fc.string().map(s => JSON.stringify(s)),
    fc.string({ unit: 'grapheme' }).map(s => `"${s}"`),
  );
  const name = fc.constantFrom('I', 'i', 'M', 'm', 'D', 'S', 's', 'F', 'L', 'X', 'other', 'ä', '');
  const space = fc.constantFrom('', '', '', ' ', '\n\t');
  const field = fc
    .tuple(space, name, space, scalar, space)
    .map(([a, n, b, v, c]) => `${a}"${n}"${b}:${c}${v}${a}`);
  const object = fc
    .tuple(fc.array(field, { maxLength: 7 }), space)
    .map(([f, s]) => `${s}{${f.join(',')}}${s}`);
  const value = fc.oneof(
    { weight: 12, arbitrary: object },
    { weight: 1, arbitrary: scalar },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  );
  const raw = fc.tuple(fc.constantFrom('k', null), value) as fc.Arbitrary<Raw>;
  fc.assert(
    fc.property(fc.array(raw, { minLength: 1, maxLength: 12 }), raws => {
      decodeBoth(nested, raws);
      decodeBoth(nested, raws, schemaOf(nested, ['I', 'S']));
    }),
    { numRuns: 400 },
  );
});

test('records of one shape, read by a scanner compiled for it, with others in between', () => {
  const wide = source([
    ['I', INT],
    ['B', BIGINT],
    ['M', decimal(9, 2)],
    ['D', DOUBLE],
    ['S', STRING],
    ['F', BOOLEAN],
    ['T', TIMESTAMP],
    ['U', STRING],
    ['A', DATE],
    [
      'N',
      structOf([
        { name: 'X', type: decimal(30, 2) },
        { name: 'Y', type: arrayOf(STRING) },
      ]),
    ],
    ['Q', BYTES],
    ['gone', INT],
  ]);
  const number = fc.oneof(
    fc.constantFrom(
      '0',
      '-0',
      '-1',
      '1.5',
      '12.345',
      '999999999',
      '1234567890123456',
      '0.1',
      '01',
      '1.',
      '-',
      '7e2',
    ),
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  );
  const text = fc.oneof(
    fc.string().map(s => JSON.stringify(s)),
    fc.constantFrom(
      '"1"',
      '"-2.5"',
      '"2024-02-29T12:00:00Z"',
      '"abc"',
      '"abcd"',
      '"a longer text of plain letters"',
      '"é"',
      '"\\n"',
      '"',
      '12',
      'null',
    ),
  );
  const values = fc.tuple(
    number,
    number,
    number,
    number,
    text,
    fc.constantFrom('true', 'false', 'null'),
    number,
    text,
    fc.constantFrom('"2024-02-29"', '"2023-02-29"', '17', 'null', '"2024"'),
    fc.constantFrom(
      '{"X":"1.50","Y":["a",null]}',
      '{"x":12345678901234567890}',
      'null',
      '{"Y":1}',
      '{"X":{}',
      '[]',
    ),
    fc.constantFrom('"AAEC"', '""', 'null', '7', '"*"'),
  );
  const NAMES = ['I', 'B', 'M', 'D', 'S', 'F', 'T', 'U', 'A', 'N', 'Q'];
  const PLAIN = [
    '{"I":1,"B":22,"M":3.25,"D":0.5,"S":"some text","F":true,"T":1000,"U":"x","A":1,"N":null,"Q":""}',
    '{"I":"1","B":"22","M":"3.25","D":0.5,"S":"zoë","F":true,"T":1000,"U":"x","A":"2024-01-01","N":{},"Q":null}',
  ];
  fc.assert(
    fc.property(
      fc.array(values, { minLength: 1, maxLength: 20 }),
      fc.constantFrom('', ' '),
      fc.constantFrom(...PLAIN),
      (rows, space, plain) => {
        const odd = rows.map(v => `{${NAMES.map((n, i) => `"${n}":${v[i]}`).join(',')}}${space}`);
        const raws = [...new Array<string>(300).fill(plain), ...odd.flatMap(o => [o, plain])];
        decodeBoth(
          wide,
          raws.map((v): Raw => [null, v]),
        );
        decodeBoth(
          wide,
          raws.map((v): Raw => [null, v]),
          schemaOf(wide, ['M', 'U']),
        );
      },
    ),
    { numRuns: 60 },
  );
});

test('records of one shape whose keys or times are not always there', () => {
  const columns = [
    ['K', STRING, 'key'],
    ['T', BIGINT],
    ['S', STRING],
    ['I', INT],
  ] as const;
  const timestamp = { column: 'T', format: null };
  const stream = source(columns, { timestamp });
  const table = source(columns, { timestamp, kind: 'table' });
  const record = fc.tuple(
    fc.constantFrom('key', 'key', 'key', 'zoë', null, Uint8Array.of(255)),
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc
          .tuple(
            fc.constantFrom('1', '1000', '1000', '"1000"', '-1', 'null', '1e3'),
            fc.constantFrom('"a"', '"b"', 'null', '"é"', '"\\""'),
            fc.constantFrom('1', '2', 'null', '"x"'),
          )
          .map(([t, s, i]) => `{"T":${t},"S":${s},"I":${i}}`),
      },
      { weight: 1, arbitrary: fc.constantFrom('{"S":"a"}', null, '', 'null') },
    ),
  ) as fc.Arbitrary<Raw>;
  const warm = new Array<Raw>(300).fill(['key', '{"T":1000,"S":"a","I":1}']);
  const schemas = [schemaOf(stream), schemaOf(stream, ['I', 'ROWPARTITION', 'ROWOFFSET', 'S'])];
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 60 }), records => {
      for (const spec of [stream, table]) {
        for (const schema of schemas) decodeBoth(spec, [...warm, ...records, ...warm.slice(0, 20)], schema);
      }
    }),
    { numRuns: 80 },
  );
});
