import {
  arrayOf,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  decimal,
  INT,
  MAX_PRECISION,
  mapOf,
  type SqlType,
  STRING,
  structOf,
  TIME,
  TIMESTAMP,
} from '../../core/sql-type.ts';
import type { TypeName } from '../ast.ts';
import { type Catalog, canonical } from '../catalog.ts';
import { closest } from '../suggest.ts';
import type { Problems } from './problems.ts';

const SIMPLE: ReadonlyMap<string, SqlType> = new Map([
  ['BOOLEAN', BOOLEAN],
  ['BOOL', BOOLEAN],
  ['INT', INT],
  ['INTEGER', INT],
  ['BIGINT', BIGINT],
  ['LONG', BIGINT],
  ['DOUBLE', DOUBLE],
  ['VARCHAR', STRING],
  ['STRING', STRING],
  ['TEXT', STRING],
  ['BYTES', BYTES],
  ['DATE', DATE],
  ['TIME', TIME],
  ['TIMESTAMP', TIMESTAMP],
]);

const DECIMAL_NAMES = new Set(['DECIMAL', 'DEC', 'NUMERIC']);

const TYPES_HINT =
  'types: BOOLEAN, INT, BIGINT, DOUBLE, DECIMAL(p, s), STRING, BYTES, DATE, TIME, TIMESTAMP, ARRAY<T>, MAP<K, V>, STRUCT<name T>';

/** The type that a type name stands for: built in, or of CREATE TYPE. */
export function resolveType(type: TypeName, catalog: Catalog, problems: Problems): SqlType {
  switch (type.kind) {
    case 'array':
      return arrayOf(resolveType(type.element, catalog, problems));
    case 'map':
      return mapOf(resolveType(type.key, catalog, problems), resolveType(type.value, catalog, problems));
    case 'struct':
      return resolveStruct(type, catalog, problems);
    case 'named':
      return resolveNamed(type, catalog, problems);
  }
}

function resolveStruct(
  type: Extract<TypeName, { kind: 'struct' }>,
  catalog: Catalog,
  problems: Problems,
): SqlType {
  const seen = new Set<string>();
  const fields = type.fields.map(field => {
    const name = canonical(field.name);
    if (seen.has(name)) {
      throw problems.error(
        'duplicate_name',
        field.name.span,
        `two fields of the struct are called "${field.name.name}"`,
        'give one of them another name',
      );
    }
    seen.add(name);
    return { name: field.name.name, type: resolveType(field.type, catalog, problems) };
  });
  return structOf(fields);
}

function resolveNamed(
  type: Extract<TypeName, { kind: 'named' }>,
  catalog: Catalog,
  problems: Problems,
): SqlType {
  const upper = type.name.name.toUpperCase();
  if (!type.name.quoted && DECIMAL_NAMES.has(upper)) return resolveDecimal(type, problems);
  const simple = type.name.quoted ? undefined : SIMPLE.get(upper);
  const found = simple ?? catalog.findType(type.name.name)?.type;
  if (!found) {
    const near = closest(type.name.name, [...SIMPLE.keys(), 'DECIMAL', ...catalog.typeNames()]);
    throw problems.error(
      'unknown_type',
      type.span,
      `unknown type "${type.name.name}"`,
      near === null ? TYPES_HINT : `did you mean ${near}?`,
    );
  }
  // VARCHAR(100) is read as STRING; other types take no arguments
  if (type.args.length > 0 && found.kind !== 'STRING') {
    throw problems.error('unknown_type', type.span, `type ${upper} takes no arguments`);
  }
  return found;
}

function resolveDecimal(type: Extract<TypeName, { kind: 'named' }>, problems: Problems): SqlType {
  const [precision, scale = 0] = type.args;
  if (precision === undefined || type.args.length > 2) {
    throw problems.error(
      'unknown_type',
      type.span,
      'DECIMAL needs a precision and a scale',
      'write DECIMAL(10, 2)',
    );
  }
  if (precision < 1 || scale < 0 || scale > precision) {
    throw problems.error(
      'unknown_type',
      type.span,
      `DECIMAL(${precision}, ${scale}): precision must be at least 1, and scale between 0 and the precision`,
      `write DECIMAL(${Math.max(precision, scale, 1)}, ${Math.max(0, scale)})`,
    );
  }
  if (precision > MAX_PRECISION) {
    throw problems.error(
      'unknown_type',
      type.span,
      `DECIMAL(${precision}, ${scale}): precision is at most ${MAX_PRECISION}`,
      `write DECIMAL(${MAX_PRECISION}, ${Math.min(scale, MAX_PRECISION)})`,
    );
  }
  return decimal(precision, scale);
}
