import type { Column, Schema } from '../../src/core/schema.ts';
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
import type { FormatSpec, SourceColumn, SourceSpec } from '../../src/plan/plan.ts';
import type { Random } from '../oracle/generator/random.ts';

const SCALARS: readonly SqlType[] = [
  BOOLEAN,
  INT,
  BIGINT,
  DOUBLE,
  decimal(10, 2),
  decimal(18, 4),
  decimal(38, 9),
  STRING,
  BYTES,
  DATE,
  TIME,
  TIMESTAMP,
];

const NESTED: readonly SqlType[] = [
  arrayOf(INT),
  arrayOf(STRING),
  mapOf(STRING, BIGINT),
  structOf([
    { name: 'A', type: INT },
    { name: 'b', type: arrayOf(decimal(6, 2)) },
  ]),
  arrayOf(structOf([{ name: 'X', type: STRING }])),
];

const NAMES = [
  'I',
  'AMOUNT',
  'id',
  'CARD_ID',
  'a',
  'A',
  'ab',
  'B C',
  'é',
  'N1',
  'N2',
  'N3',
  'N4',
  'LONG_NAME_OF_A_COLUMN',
];

const format = (name: FormatSpec['format'], more: Partial<FormatSpec> = {}): FormatSpec => ({
  format: name,
  delimiter: ',',
  wrapSingle: true,
  ...more,
});

/** Any source that a declaration can make, most of them over JSON. */
export function randomSource(random: Random): SourceSpec {
  const valueFormat = random.of([
    ...Array.from({ length: 12 }, () => format('JSON')),
    format('JSON', { wrapSingle: false }),
    format('DELIMITED'),
    format('DELIMITED', { delimiter: random.of([';', '\t', ' ', '|']) }),
    format('KAFKA'),
  ]);
  const alone = valueFormat.format === 'KAFKA' || !valueFormat.wrapSingle;
  const keyFormat = random.of([format('KAFKA'), format('KAFKA'), format('JSON'), format('DELIMITED')]);
  const keys = keyFormat.format === 'JSON' ? random.int(0, 2) : random.int(0, 1);
  const flat = valueFormat.format !== 'JSON';
  const names = random.shuffled(NAMES);
  const values = alone ? 1 : random.int(1, random.of([3, 8, 12]));
  const keyTypes =
    keyFormat.format === 'KAFKA'
      ? [INT, BIGINT, DOUBLE, STRING, STRING, BYTES]
      : keyFormat.format === 'JSON'
        ? [...SCALARS, arrayOf(INT)]
        : SCALARS;
  const columns: SourceColumn[] = [
    ...Array.from({ length: keys }, (_, i) => column(`K${i}`, random.of(keyTypes), 'key')),
    ...Array.from({ length: values }, (_, i) =>
      column(names[i] ?? `C${i}`, typeOfValue(random, valueFormat, flat), 'value'),
    ),
  ];
  if (random.chance(0.05)) {
    const pair = structOf([
      { name: 'KEY', type: STRING },
      { name: 'VALUE', type: BYTES },
    ]);
    columns.push(column('HEADERS', arrayOf(pair), 'headers'));
  }
  const timed = columns.filter(
    c => c.from === 'value' && ['BIGINT', 'TIMESTAMP', 'STRING'].includes(c.type.kind),
  );
  const timestamp = timed.length > 0 && random.chance(0.2) ? random.of(timed) : null;
  return {
    kind: keys > 0 && random.chance(0.4) ? 'table' : 'stream',
    name: 'S',
    topic: 's',
    columns,
    keyFormat: keys === 0 ? format('NONE') : keyFormat,
    valueFormat,
    timestamp:
      timestamp === null
        ? null
        : { column: timestamp.name, format: timestamp.type.kind === 'STRING' ? 'yyyy-MM-dd' : null },
    partitions: 1,
    window: keys > 0 && random.chance(0.05) ? { type: 'tumbling', size: 1000 } : null,
    description: '',
  };
}

function typeOfValue(random: Random, valueFormat: FormatSpec, flat: boolean): SqlType {
  if (valueFormat.format === 'KAFKA') return random.of([INT, BIGINT, DOUBLE, STRING, BYTES]);
  return !flat && random.chance(0.2) ? random.of(NESTED) : random.of(SCALARS);
}

function column(name: string, type: SqlType, from: SourceColumn['from']): SourceColumn {
  return { name, type, from, header: null };
}

/** Some of the columns, as a plan needs them: all keys, some values, pseudo columns. */
export function randomSchema(random: Random, source: SourceSpec): Schema {
  const declared = source.columns.filter(c => c.from === 'key' || random.chance(0.7));
  const columns: Column[] = declared.map(({ name, type }) => ({ name, type }));
  if (source.window !== null) {
    columns.push({ name: 'WINDOWSTART', type: BIGINT }, { name: 'WINDOWEND', type: BIGINT });
  }
  if (random.chance(0.1)) columns.push({ name: 'ROWPARTITION', type: INT });
  if (random.chance(0.1)) columns.push({ name: 'ROWOFFSET', type: BIGINT });
  return { columns, key: [], windowed: source.window !== null };
}
