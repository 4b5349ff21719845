import type { Identifier, TypeName } from '../../sql/ast.ts';
import type { Notes } from './notes.ts';

export const DIALECTS = ['flink', 'postgres', 'duckdb'] as const;
export type Dialect = (typeof DIALECTS)[number];

export const TITLES: Readonly<Record<Dialect, string>> = {
  flink: 'Flink',
  postgres: 'PostgreSQL',
  duckdb: 'DuckDB',
};

/** Words that PostgreSQL or DuckDB do not take as a bare name of a column, a table or an alias. */
const RESERVED = new Set(
  `all analyse analyze and any array as asc asymmetric at authorization between binary both case cast check collate collation
  column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
  current_timestamp current_user default deferrable desc describe distinct do else end except exists extract false fetch
  filter for foreign freeze from full grant group having ilike in initially inner intersect interval into is isnull join
  lambda lateral leading left like limit localtime localtimestamp map natural not notnull null offset on only or order outer
  overlaps over pivot pivot_longer pivot_wider placing primary qualify references returning right row select session_user
  setof show similar some struct summarize symmetric system_user table tablesample then time timestamp to trailing true
  union unique unpivot user using values variadic verbose when where window with within`.split(/\s+/),
);

export function nameText(name: string, dialect: Dialect, quoted = false): string {
  // Calcite reserves hundreds of words (value, day, method, user, ...): there every name is quoted
  if (dialect === 'flink') return `\`${name.replaceAll('`', '``')}\``;
  if (!quoted && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name.toLowerCase())) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

export function identifierText(id: Identifier, dialect: Dialect): string {
  return nameText(id.name, dialect, id.quoted);
}

export function stringText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, 'DAY'],
  [3_600_000, 'HOUR'],
  [60_000, 'MINUTE'],
  [1000, 'SECOND'],
];

/** A duration in ms as an interval. */
export function intervalText(ms: number, dialect: Dialect): string {
  const [length, unit] = UNITS.find(([l]) => ms >= l && ms % l === 0) ?? [1000, 'SECOND'];
  // a literal of Flink holds two digits of its unit unless more are asked for
  if (dialect === 'flink') {
    const amount = String(ms / length);
    const digits = amount.split('.')[0]?.length ?? 1;
    return `INTERVAL '${amount}' ${unit}${digits > 2 ? `(${digits})` : ''}`;
  }
  return ms % 1000 === 0
    ? `INTERVAL '${ms / length} ${unit.toLowerCase()}s'`
    : `INTERVAL '${ms} milliseconds'`;
}

const TYPES: Readonly<Record<string, Readonly<Record<Dialect, string>>>> = {
  BOOLEAN: { flink: 'BOOLEAN', postgres: 'BOOLEAN', duckdb: 'BOOLEAN' },
  INT: { flink: 'INT', postgres: 'INTEGER', duckdb: 'INTEGER' },
  INTEGER: { flink: 'INT', postgres: 'INTEGER', duckdb: 'INTEGER' },
  BIGINT: { flink: 'BIGINT', postgres: 'BIGINT', duckdb: 'BIGINT' },
  DOUBLE: { flink: 'DOUBLE', postgres: 'DOUBLE PRECISION', duckdb: 'DOUBLE' },
  DECIMAL: { flink: 'DECIMAL', postgres: 'NUMERIC', duckdb: 'DECIMAL' },
  NUMERIC: { flink: 'DECIMAL', postgres: 'NUMERIC', duckdb: 'DECIMAL' },
  STRING: { flink: 'STRING', postgres: 'TEXT', duckdb: 'VARCHAR' },
  VARCHAR: { flink: 'STRING', postgres: 'TEXT', duckdb: 'VARCHAR' },
  TEXT: { flink: 'STRING', postgres: 'TEXT', duckdb: 'VARCHAR' },
  BYTES: { flink: 'BYTES', postgres: 'BYTEA', duckdb: 'BLOB' },
  DATE: { flink: 'DATE', postgres: 'DATE', duckdb: 'DATE' },
  TIME: { flink: 'TIME', postgres: 'TIME', duckdb: 'TIME' },
  TIMESTAMP: { flink: 'TIMESTAMP(3)', postgres: 'TIMESTAMP', duckdb: 'TIMESTAMP' },
};

export function typeText(type: TypeName, dialect: Dialect, notes: Notes): string {
  switch (type.kind) {
    case 'named': {
      const known = type.name.quoted ? undefined : TYPES[type.name.name.toUpperCase()];
      if (known === undefined) {
        notes.add(`the type ${type.name.name} has to be created there`);
        return identifierText(type.name, dialect);
      }
      return known[dialect] + (type.args.length > 0 ? `(${type.args.join(', ')})` : '');
    }
    case 'array': {
      const element = typeText(type.element, dialect, notes);
      return dialect === 'flink' ? `ARRAY<${element}>` : `${element}[]`;
    }
    case 'map': {
      if (dialect === 'postgres') {
        notes.add('PostgreSQL has no MAP: JSONB takes its place');
        return 'JSONB';
      }
      const inner = `${typeText(type.key, dialect, notes)}, ${typeText(type.value, dialect, notes)}`;
      return dialect === 'flink' ? `MAP<${inner}>` : `MAP(${inner})`;
    }
    case 'struct': {
      if (dialect === 'postgres') {
        notes.add(
          'PostgreSQL has no STRUCT in a cast: JSONB takes its place; a composite type would fit better',
        );
        return 'JSONB';
      }
      const fields = type.fields
        .map(f => `${identifierText(f.name, dialect)} ${typeText(f.type, dialect, notes)}`)
        .join(', ');
      return dialect === 'flink' ? `ROW<${fields}>` : `STRUCT(${fields})`;
    }
  }
}

/** An instant as milliseconds since 1970, as ROWTIME and WINDOWSTART are. */
export function millisecondsText(instant: string, dialect: Dialect): string {
  switch (dialect) {
    case 'duckdb':
      return `epoch_ms(${instant})`;
    case 'postgres':
      return `CAST(extract(epoch FROM ${instant}) * 1000 AS BIGINT)`;
    case 'flink':
      return `CAST(TIMESTAMPDIFF(SECOND, TIMESTAMP '1970-01-01 00:00:00', ${instant}) AS BIGINT) * 1000`;
  }
}
