import { BugError } from '../core/assert.ts';
import { MS_PER_DAY } from '../core/calendar.ts';
import { parseDate, parseTime, parseTimestamp } from '../core/iso-time.ts';
import type { SqlType, StructField } from '../core/sql-type.ts';
import { sameType, typeText } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import {
  decimalToDouble,
  doubleToDecimal,
  fitsPrecision,
  formatDecimal,
  parseDecimal,
  rescale,
  truncate,
} from './decimal.ts';
import { parseDouble } from './double-text.ts';
import type { EvalContext } from './functions.ts';
import { valueText } from './value-text.ts';

/**
 * CAST of one type to another. What cannot be cast becomes NULL and is reported by `ctx.fail`: a number out of the
 * target's range (never wrapped around, as ksqlDB does), a text that does not stand for the target.
 *
 * Numbers lose fractions towards zero when they become INT or BIGINT, and are rounded half up (away from zero) when they
 * become DECIMAL. A STRUCT is cast field by field by name; a missing field is NULL.
 */
export type Cast = (value: Value, ctx: EvalContext) => Value | null;

/** The cast between two types for which `canCast` or `canWiden` says yes; others are a bug of the caller. */
export function castBetween(from: SqlType, to: SqlType): Cast {
  if (sameType(from, to)) return value => value;
  switch (to.kind) {
    case 'STRING': {
      const text = valueText(from);
      return value => text(value);
    }
    case 'INT':
      return toInt(from);
    case 'BIGINT':
      return toBigint(from);
    case 'DOUBLE':
      return toDouble(from);
    case 'DECIMAL':
      return toDecimal(from, to);
    case 'BOOLEAN':
      if (from.kind === 'STRING') return parsing(to, parseBoolean);
      break;
    case 'DATE':
      if (from.kind === 'STRING') return parsing(to, parseDate);
      if (from.kind === 'TIMESTAMP') return value => Math.floor((value as number) / MS_PER_DAY);
      break;
    case 'TIME':
      if (from.kind === 'STRING') return parsing(to, parseTime);
      if (from.kind === 'TIMESTAMP') return value => modulo(value as number, MS_PER_DAY);
      break;
    case 'TIMESTAMP':
      if (from.kind === 'STRING') return parsing(to, parseTimestamp);
      if (from.kind === 'DATE') return value => (value as number) * MS_PER_DAY;
      break;
    case 'ARRAY':
      if (from.kind === 'ARRAY') return castArray(castNullable(from.element, to.element));
      break;
    case 'MAP':
      if (from.kind === 'MAP') {
        return castMap(castBetween(from.key, to.key), castNullable(from.value, to.value));
      }
      break;
    case 'STRUCT':
      if (from.kind === 'STRUCT') return castStruct(from.fields, to.fields);
      break;
    case 'BYTES':
      break;
  }
  return impossible(from, to);
}

/** {@link castBetween} that lets NULL through. */
function castNullable(from: SqlType, to: SqlType): (value: Value | null, ctx: EvalContext) => Value | null {
  const cast = castBetween(from, to);
  return (value, ctx) => (value === null ? null : cast(value, ctx));
}

function impossible(from: SqlType, to: SqlType): never {
  throw new BugError(`no cast from ${typeText(from)} to ${typeText(to)}`);
}

function modulo(value: number, by: number): number {
  return value - Math.floor(value / by) * by;
}

function parsing(to: SqlType, parse: (text: string) => Value | null): Cast {
  return (value, ctx) => {
    const parsed = parse(value as string);
    return parsed === null ? ctx.fail(`"${shortened(value as string)}" is no ${typeText(to)}`) : parsed;
  };
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}

/** true, yes and false, no, or the beginning of one of them, in any case. */
function parseBoolean(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (word === '') return null;
  if ('true'.startsWith(word) || 'yes'.startsWith(word)) return true;
  return 'false'.startsWith(word) || 'no'.startsWith(word) ? false : null;
}

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const BIGINT_MIN = -(2n ** 63n);
const BIGINT_MAX = 2n ** 63n - 1n;
const INTEGER = /^[+-]?\d{1,40}$/;

export function isInt(value: number): boolean {
  return value >= INT_MIN && value <= INT_MAX;
}

export function isBigint(value: bigint): boolean {
  return value >= BIGINT_MIN && value <= BIGINT_MAX;
}

function toInt(from: SqlType): Cast {
  const wide = from.kind === 'DOUBLE' ? null : toBigint(from);
  return (value, ctx) => {
    if (!wide) {
      // + 0: no negative zero among integers
      const whole = Math.trunc(value as number) + 0;
      return isInt(whole) ? whole : outOfRange(value as number, 'INT', ctx);
    }
    const whole = wide(value, ctx);
    if (whole === null) return null;
    const int = Number(whole);
    return isInt(int) ? int : outOfRange(whole as bigint, 'INT', ctx);
  };
}

function toBigint(from: SqlType): Cast {
  switch (from.kind) {
    case 'INT':
      return value => BigInt(value as number);
    case 'BIGINT':
      return value => value;
    case 'DECIMAL':
      return (value, ctx) => checkedBigint(truncate(value as bigint, from.scale), ctx);
    case 'DOUBLE':
      return (value, ctx) =>
        Number.isFinite(value)
          ? checkedBigint(BigInt(Math.trunc(value as number)), ctx)
          : outOfRange(value as number, 'BIGINT', ctx);
    case 'STRING':
      return (value, ctx) => {
        const text = (value as string).trim();
        if (!INTEGER.test(text)) return ctx.fail(`"${shortened(text)}" is no whole number`);
        return checkedBigint(BigInt(text.startsWith('+') ? text.slice(1) : text), ctx);
      };
    default:
      return impossible(from, { kind: 'BIGINT' });
  }
}

function checkedBigint(value: bigint, ctx: EvalContext): bigint | null {
  return isBigint(value) ? value : outOfRange(value, 'BIGINT', ctx);
}

function outOfRange(value: number | bigint, type: string, ctx: EvalContext): null {
  return ctx.fail(`${value} is out of the range of ${type}`);
}

function toDouble(from: SqlType): Cast {
  switch (from.kind) {
    case 'INT':
      return value => value;
    case 'BIGINT':
      return value => Number(value);
    case 'DECIMAL':
      return value => decimalToDouble(value as bigint, from.scale);
    case 'STRING':
      return parsing({ kind: 'DOUBLE' }, parseDouble);
    default:
      return impossible(from, { kind: 'DOUBLE' });
  }
}

function toDecimal(from: SqlType, to: Extract<SqlType, { kind: 'DECIMAL' }>): Cast {
  const convert = unscaledOf(from, to);
  return (value, ctx) => {
    const unscaled = convert(value);
    if (unscaled === null) {
      const text = from.kind === 'STRING' ? `"${shortened(value as string)}"` : String(value);
      return ctx.fail(`${text} is no ${typeText(to)}`);
    }
    return fitsPrecision(unscaled, to.precision)
      ? unscaled
      : ctx.fail(`${shortened(formatDecimal(unscaled, to.scale))} does not fit ${typeText(to)}`);
  };
}

function unscaledOf(
  from: SqlType,
  to: Extract<SqlType, { kind: 'DECIMAL' }>,
): (value: Value) => bigint | null {
  switch (from.kind) {
    case 'INT':
      return value => rescale(BigInt(value as number), 0, to.scale);
    case 'BIGINT':
      return value => rescale(value as bigint, 0, to.scale);
    case 'DECIMAL':
      return value => rescale(value as bigint, from.scale, to.scale);
    case 'DOUBLE':
      return value => doubleToDecimal(value as number, to.scale);
    case 'STRING':
      return value => {
        const parsed = parseDecimal(value as string);
        return parsed && rescale(parsed.unscaled, parsed.scale, to.scale);
      };
    default:
      return impossible(from, to);
  }
}

type NullableCast = (value: Value | null, ctx: EvalContext) => Value | null;

function castArray(element: NullableCast): Cast {
  return (value, ctx) => (value as readonly (Value | null)[]).map(item => element(item, ctx));
}

function castMap(key: Cast, value: NullableCast): Cast {
  return (map, ctx) => {
    const result = new Map<Value, Value | null>();
    for (const [k, v] of map as ReadonlyMap<Value, Value | null>) {
      const castKey = key(k, ctx);
      if (castKey !== null) result.set(castKey, value(v, ctx));
    }
    return result;
  };
}

function castStruct(from: readonly StructField[], to: readonly StructField[]): Cast {
  const fields = to.map(target => {
    const index = from.findIndex(f => f.name === target.name);
    const source = from[index];
    return source ? { index, cast: castNullable(source.type, target.type) } : null;
  });
  return (value, ctx) => {
    const values = value as readonly (Value | null)[];
    return fields.map(f => (f ? f.cast(values[f.index] ?? null, ctx) : null));
  };
}
