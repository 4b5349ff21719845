import type { Column } from '../../../src/core/schema.ts';
import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  STRING,
  TIME,
  TIMESTAMP,
  typeText,
} from '../../../src/core/sql-type.ts';
import { COUNTS, INTS, MONEY, PAIR, STRINGS, WIDE } from './types.ts';

export type Encoding = 'JSON' | 'DELIMITED' | 'KAFKA';

/** A source of random scripts: what is declared, and how its records are written. */
export interface ScopeSource {
  readonly name: string;
  readonly kind: 'STREAM' | 'TABLE';
  readonly keys: readonly Column[];
  readonly values: readonly Column[];
  readonly keyFormat: Encoding;
  readonly valueFormat: Encoding;
  readonly settings: readonly string[];
  /** how often it has a record */
  readonly weight: number;
}

const column = (name: string, type: Column['type']): Column => ({ name, type });

export const SOURCES: readonly ScopeSource[] = [
  {
    name: 's',
    kind: 'STREAM',
    keys: [column('k', STRING)],
    values: [
      column('i', INT),
      column('b', BIGINT),
      column('d', MONEY),
      column('f', DOUBLE),
      column('t', STRING),
      column('o', BOOLEAN),
      column('y', BYTES),
      column('day', DATE),
      column('tm', TIME),
      column('ts', TIMESTAMP),
      column('l', INTS),
      column('m', COUNTS),
      column('st', PAIR),
      column('w', WIDE),
    ],
    keyFormat: 'KAFKA',
    valueFormat: 'JSON',
    settings: [],
    weight: 6,
  },
  {
    name: 'r',
    kind: 'STREAM',
    keys: [column('id', INT)],
    values: [
      column('k', STRING),
      column('i', INT),
      column('at', BIGINT),
      column('d', decimal(6, 2)),
      column('l', STRINGS),
      column('o', BOOLEAN),
    ],
    keyFormat: 'KAFKA',
    valueFormat: 'JSON',
    settings: ["timestamp = 'at'", 'partitions = 2'],
    weight: 4,
  },
  {
    name: 'c',
    kind: 'STREAM',
    keys: [],
    values: [
      column('i', INT),
      column('t', STRING),
      column('d', decimal(8, 3)),
      column('ts', TIMESTAMP),
      column('o', BOOLEAN),
      column('b', BIGINT),
    ],
    keyFormat: 'KAFKA',
    valueFormat: 'DELIMITED',
    settings: [],
    weight: 3,
  },
  {
    name: 'tab',
    kind: 'TABLE',
    keys: [column('k', STRING)],
    values: [
      column('i', INT),
      column('b', BIGINT),
      column('d', MONEY),
      column('t', STRING),
      column('due', TIMESTAMP),
      column('day', DATE),
      column('l', STRINGS),
      column('st', PAIR),
    ],
    keyFormat: 'KAFKA',
    valueFormat: 'JSON',
    settings: [],
    weight: 4,
  },
  {
    name: 'tag',
    kind: 'TABLE',
    keys: [column('k', STRING)],
    values: [column('i', INT), column('t', STRING), column('due', TIMESTAMP)],
    keyFormat: 'KAFKA',
    valueFormat: 'JSON',
    settings: [],
    weight: 3,
  },
  {
    name: 'dim',
    kind: 'TABLE',
    keys: [column('id', INT)],
    values: [column('t', STRING), column('f', DOUBLE), column('n', BIGINT), column('w', WIDE)],
    keyFormat: 'JSON',
    valueFormat: 'JSON',
    settings: [],
    weight: 3,
  },
  {
    name: 'two',
    kind: 'TABLE',
    keys: [column('a', STRING), column('n', BIGINT)],
    values: [column('v', MONEY), column('t', STRING)],
    keyFormat: 'JSON',
    valueFormat: 'JSON',
    settings: [],
    weight: 2,
  },
];

export function declarationOf({
  name,
  kind,
  keys,
  values,
  keyFormat,
  valueFormat,
  settings,
}: ScopeSource): string {
  const key = kind === 'TABLE' ? 'PRIMARY KEY' : 'KEY';
  const columns = [
    ...keys.map(c => `${c.name} ${typeText(c.type)} ${key}`),
    ...values.map(c => `${c.name} ${typeText(c.type)}`),
  ];
  const properties = [
    `kafka_topic = '${name}'`,
    ...(keys.length > 0 ? [`key_format = '${keyFormat}'`] : []),
    `value_format = '${valueFormat}'`,
    ...settings,
  ];
  return `CREATE ${kind} ${name} (${columns.join(', ')}) WITH (${properties.join(', ')});`;
}
