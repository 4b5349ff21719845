import { formatTime, formatTimestamp } from '../../core/iso-time.ts';
import type { Json, JsonLimits, JsonObject } from '../../core/json.ts';
import { isJsonObject, JsonNumber, jsonText, parseJson } from '../../core/json.ts';
import type { SqlType } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { compareDecimals, formatDecimal, parseDecimal } from '../decimal.ts';
import { doubleText } from '../double-text.ts';
import type { EvalContext, ScalarFunction } from '../functions.ts';
import { valueText } from '../value-text.ts';
import { nullable, overload, scalar, typed } from './define.ts';
import { jsonPath } from './json-path.ts';
import { MAX_ITEMS, MAX_LENGTH } from './limits.ts';

const category = 'JSON';

/** As Jackson reads in ksqlDB: of equal names the last one wins. */
const LIMITS: JsonLimits = { maxDepth: 500, maxSize: MAX_LENGTH, repeatedNames: true };
const LENIENT: JsonLimits = { ...LIMITS, trailingText: true };

export const jsonFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'EXTRACTJSONFIELD',
      category,
      description:
        'The text at a path such as $.log.items[0].name in a JSON string, or NULL when there is none; objects and arrays as JSON, numbers as written.',
    },
    overload<[string, string]>('(STRING, STRING) -> STRING', ([text, pathText], ctx) => {
      const path = jsonPath(pathText);
      if (!path) return ctx.fail('EXTRACTJSONFIELD: the path is not like $.name[0]');
      let node: Json | undefined = parsed('EXTRACTJSONFIELD', text, ctx, LENIENT);
      for (const step of path) {
        if (node === undefined) return null;
        if (isJsonObject(node)) node = node.get(step);
        else
          node =
            Array.isArray(node) && /^\d{1,9}$/.test(step)
              ? (node as readonly Json[])[Number(step)]
              : undefined;
      }
      if (node === undefined) return null;
      return typeof node === 'string' ? node : jsonText(node);
    }),
  ),
  scalar(
    {
      name: 'IS_JSON_STRING',
      category,
      description: 'Whether the string is valid JSON; false for NULL.',
    },
    nullable<[string | null]>(
      '(STRING) -> BOOLEAN',
      ([text]) => text !== null && read(text, LIMITS) !== undefined,
    ),
  ),
  scalar(
    {
      name: 'JSON_ARRAY_CONTAINS',
      category,
      description:
        'Whether the JSON array in a string has this value; integers match JSON integers, doubles JSON numbers with a point or an exponent.',
    },
    typed<[string | null, Value | null]>(
      '(STRING, T) -> BOOLEAN',
      ({ args: [, type] }) => {
        const matches = type ? jsonMatcher(type) : () => false;
        return ([text, value]) => {
          if (text === null) return null;
          const items = read(text, LIMITS);
          if (!isArray(items)) return false;
          return items.some(item => (value === null ? item === null : item !== null && matches(item, value)));
        };
      },
      { nulls: 'called' },
    ),
  ),
  scalar(
    {
      name: 'JSON_ARRAY_LENGTH',
      category,
      description: 'The number of elements of the JSON array in a string; NULL when it holds something else.',
    },
    overload<[string]>('(STRING) -> INT', ([text], ctx) => {
      const items = parsed('JSON_ARRAY_LENGTH', text, ctx);
      return isArray(items) ? items.length : null;
    }),
  ),
  scalar(
    {
      name: 'JSON_CONCAT',
      category,
      description:
        'JSON strings joined: objects into one with the last of equal keys, anything else into one array; NULL when one of them is NULL or no JSON.',
    },
    nullable<(string | null)[]>('(STRING...) -> STRING', (texts, ctx) => concatenate(texts, ctx)),
  ),
  scalar(
    {
      name: 'JSON_ITEMS',
      category,
      description:
        'The objects in the JSON array of a string, each as a JSON string; NULL when an element is no object.',
    },
    overload<[string]>('(STRING) -> ARRAY<STRING>', ([text], ctx) => {
      const items = parsed('JSON_ITEMS', text, ctx);
      if (items === undefined) return null;
      if (!isArray(items)) return ctx.fail('JSON_ITEMS: the text is not a JSON array');
      if (items.length > MAX_ITEMS) return ctx.fail(`JSON_ITEMS: more than ${MAX_ITEMS} elements`);
      return items.every(isJsonObject) ? items.map(jsonText) : null;
    }),
  ),
  scalar(
    {
      name: 'JSON_KEYS',
      category,
      description: 'The keys of the JSON object in a string; NULL when it holds something else.',
    },
    overload<[string]>('(STRING) -> ARRAY<STRING>', ([text], ctx) => {
      const object = parsed('JSON_KEYS', text, ctx);
      return isJsonObject(object) ? [...object.keys()] : null;
    }),
  ),
  scalar(
    {
      name: 'JSON_RECORDS',
      category,
      description:
        'The members of the JSON object in a string as a MAP, values as JSON; NULL when it holds something else.',
    },
    overload<[string]>('(STRING) -> MAP<STRING, STRING>', ([text], ctx) => {
      const object = parsed('JSON_RECORDS', text, ctx);
      return isJsonObject(object) ? new Map([...object].map(([name, v]) => [name, jsonText(v)])) : null;
    }),
  ),
  scalar(
    {
      name: 'TO_JSON_STRING',
      category,
      description: 'A value of any type as JSON, numbers exact, dates and times in ISO form.',
    },
    typed<[Value | null]>(
      '(ANY) -> STRING',
      ({ args: [type] }) => {
        const write = type ? jsonOfType(type) : () => 'null';
        return ([value], ctx) => {
          const text = write(value);
          return text.length > MAX_LENGTH ? ctx.fail('TO_JSON_STRING: the result is too long') : text;
        };
      },
      { nulls: 'called' },
    ),
  ),
];

function read(text: string, limits: JsonLimits): Json | undefined {
  try {
    return parseJson(text, limits);
  } catch {
    return undefined;
  }
}

/** undefined after reporting that the text is no JSON. Empty text is none, but ksqlDB lets it pass in silence. */
function parsed(name: string, text: string, ctx: EvalContext, limits: JsonLimits = LIMITS): Json | undefined {
  if (text.trim() === '') return undefined;
  const json = read(text, limits);
  if (json === undefined) ctx.fail(`${name}: the text is not valid JSON`);
  return json;
}

function isArray(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

function concatenate(texts: readonly (string | null)[], ctx: EvalContext): string | null {
  const values: Json[] = [];
  for (const text of texts) {
    const json = text === null ? undefined : parsed('JSON_CONCAT', text, ctx);
    if (json === undefined) return null;
    values.push(json);
  }
  const result = jsonText(joined(values));
  return result.length > MAX_LENGTH ? ctx.fail('JSON_CONCAT: the result is too long') : result;
}

function joined(values: readonly Json[]): Json {
  if (values.every(isJsonObject)) return new Map(values.flatMap((object: JsonObject) => [...object]));
  const [first] = values;
  if (first !== undefined && values.length === 1) return first;
  return values.flatMap(v => (isArray(v) ? v : [v]));
}

function jsonMatcher(type: SqlType): (item: Json, value: Value) => boolean {
  switch (type.kind) {
    case 'STRING':
    case 'BOOLEAN':
      return (item, value) => item === value;
    case 'INT':
    case 'BIGINT':
      return (item, value) =>
        item instanceof JsonNumber && isInteger(item) && BigInt(item.text) === BigInt(value as number);
    case 'DOUBLE':
      return (item, value) => item instanceof JsonNumber && !isInteger(item) && Number(item.text) === value;
    case 'DECIMAL':
      return (item, value) => {
        const number = item instanceof JsonNumber ? parseDecimal(item.text) : null;
        return (
          number !== null && compareDecimals(number.unscaled, number.scale, value as bigint, type.scale) === 0
        );
      };
    default:
      return () => false;
  }
}

function isInteger(number: JsonNumber): boolean {
  return number.text.length < 400 && /^-?\d+$/.test(number.text);
}

/** Exact: BIGINT and DECIMAL as JSON numbers with all their digits. */
function jsonOfType(type: SqlType): (value: Value | null) => string {
  const write = presentJson(type);
  return value => (value === null ? 'null' : write(value));
}

function presentJson(type: SqlType): (value: Value) => string {
  switch (type.kind) {
    case 'BOOLEAN':
    case 'INT':
    case 'BIGINT':
      return v => `${v as boolean | number | bigint}`;
    case 'DOUBLE':
      return v => (Number.isFinite(v) ? doubleText(v as number) : `"${v as number}"`);
    case 'DECIMAL':
      return v => formatDecimal(v as bigint, type.scale);
    case 'STRING':
      return v => JSON.stringify(v);
    case 'TIME':
      // whole minutes without seconds, as java.time prints them
      return v =>
        `"${(v as number) % 60_000 === 0 ? formatTime(v as number).slice(0, 5) : formatTime(v as number)}"`;
    case 'TIMESTAMP':
      return v => `"${formatTimestamp(v as number)}"`;
    case 'DATE':
    case 'BYTES': {
      const text = valueText(type);
      return v => `"${text(v)}"`;
    }
    case 'ARRAY': {
      const element = jsonOfType(type.element);
      return v => `[${(v as readonly (Value | null)[]).map(element).join(',')}]`;
    }
    case 'MAP': {
      const key = valueText(type.key);
      const value = jsonOfType(type.value);
      return v => {
        const entries = [...(v as ReadonlyMap<Value, Value | null>)];
        return `{${entries.map(([k, x]) => `${JSON.stringify(key(k))}:${value(x)}`).join(',')}}`;
      };
    }
    case 'STRUCT': {
      const fields = type.fields.map(f => ({ name: JSON.stringify(f.name), write: jsonOfType(f.type) }));
      return v => {
        const values = v as readonly (Value | null)[];
        return `{${fields.map((f, i) => `${f.name}:${f.write(values[i] ?? null)}`).join(',')}}`;
      };
    }
  }
}
