import { unreachable } from '../core/assert.ts';
import type { Column } from '../core/schema.ts';
import { type SqlType, typeText } from '../core/sql-type.ts';
import type { JsonSchema } from './route-schema.ts';

/** The JSON of a row of these columns, as it is written without `?numbers=json`. */
export function rowSchema(columns: readonly Column[]): JsonSchema {
  return {
    type: 'object',
    required: columns.map(c => c.name),
    properties: Object.fromEntries(columns.map(c => [c.name, nullable(c.type)])),
  };
}

function nullable(type: SqlType): JsonSchema {
  const { type: kind, ...more } = valueSchema(type);
  return { type: [kind, 'null'], ...more, description: typeText(type) };
}

/** A value of a column in a query string. */
export function parameterSchema(type: SqlType): JsonSchema {
  return { ...valueSchema(type), description: typeText(type) };
}

function valueSchema(type: SqlType): JsonSchema {
  switch (type.kind) {
    case 'BOOLEAN':
      return { type: 'boolean' };
    case 'INT':
      return { type: 'integer', format: 'int32' };
    case 'DOUBLE':
      return { type: 'number' };
    case 'BIGINT':
      return { type: 'string', pattern: '^-?[0-9]+$' };
    case 'DECIMAL':
      return { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]+)?$' };
    case 'STRING':
      return { type: 'string' };
    case 'BYTES':
      return { type: 'string', contentEncoding: 'base64' };
    case 'DATE':
      return { type: 'string', format: 'date' };
    case 'TIME':
      return { type: 'string', format: 'time' };
    case 'TIMESTAMP':
      return { type: 'string', format: 'date-time' };
    case 'ARRAY':
      return { type: 'array', items: nullable(type.element) };
    case 'MAP':
      return { type: 'object', additionalProperties: nullable(type.value) };
    case 'STRUCT':
      return {
        type: 'object',
        properties: Object.fromEntries(type.fields.map(f => [f.name, nullable(f.type)])),
      };
    default:
      return unreachable(type);
  }
}
