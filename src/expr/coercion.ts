import type { StructField } from '../core/sql-type.ts';
import {
  arrayOf,
  BIGINT,
  DOUBLE,
  decimal,
  INT,
  isNumeric,
  MAX_PRECISION,
  mapOf,
  type SqlType,
  STRING,
  sameType,
  structOf,
  TIMESTAMP,
} from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import type { ArithmeticOp, CompareOp } from './expr.ts';

/**
 * Which types go together: ksqlDB's documented rules. STRING *literals* that stand for numbers, dates and the like are
 * the resolver's: it knows that they are literals, here only types are seen.
 */

type Decimal = Extract<SqlType, { kind: 'DECIMAL' }>;

const RANK = { INT: 0, BIGINT: 1, DECIMAL: 2, DOUBLE: 3 } as const;

function rank(type: SqlType): number {
  return RANK[type.kind as keyof typeof RANK] ?? -1;
}

/** The DECIMAL that holds every value of an exact number type: INT is DECIMAL(10, 0), BIGINT is DECIMAL(19, 0). */
export function decimalOf(type: SqlType): Decimal | null {
  if (type.kind === 'DECIMAL') return type;
  if (type.kind === 'INT') return decimal(10, 0) as Decimal;
  if (type.kind === 'BIGINT') return decimal(19, 0) as Decimal;
  return null;
}

/**
 * DECIMAL of this precision and scale, within 38 digits. What is too wide keeps its integral digits and gives up
 * fractional ones, but never below six of them (the rule of SQL Server, Hive and Spark; ksqlDB has no limit).
 */
function cappedDecimal(precision: number, scale: number): SqlType {
  if (precision <= MAX_PRECISION) return decimal(precision, scale);
  const integral = precision - scale;
  const kept = Math.min(scale, Math.max(MAX_PRECISION - integral, Math.min(scale, 6)));
  return decimal(MAX_PRECISION, Math.max(0, kept));
}

function widenDecimals(a: Decimal, b: Decimal): SqlType {
  const scale = Math.max(a.scale, b.scale);
  return cappedDecimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale, scale);
}

function commonNumber(a: SqlType, b: SqlType): SqlType | null {
  if (!isNumeric(a) || !isNumeric(b)) return null;
  if (a.kind !== 'DECIMAL' && b.kind !== 'DECIMAL') return rank(a) >= rank(b) ? a : b;
  const x = decimalOf(a);
  const y = decimalOf(b);
  return x && y ? widenDecimals(x, y) : DOUBLE;
}

/** The type that both widen to: CASE branches, IN lists, COALESCE, array elements. STRUCTs unite their fields. */
export function commonType(a: SqlType, b: SqlType): SqlType | null {
  if (sameType(a, b)) return a;
  if (a.kind === 'ARRAY' && b.kind === 'ARRAY') {
    const element = commonType(a.element, b.element);
    return element && arrayOf(element);
  }
  if (a.kind === 'MAP' && b.kind === 'MAP') {
    const key = commonType(a.key, b.key);
    const value = commonType(a.value, b.value);
    return key && value && mapOf(key, value);
  }
  if (a.kind === 'STRUCT' && b.kind === 'STRUCT') return commonStruct(a.fields, b.fields);
  return commonNumber(a, b);
}

function commonStruct(a: readonly StructField[], b: readonly StructField[]): SqlType | null {
  const fields: StructField[] = [];
  for (const field of a) {
    const other = b.find(f => f.name === field.name);
    const type = other ? commonType(field.type, other.type) : field.type;
    if (!type) return null;
    fields.push({ name: field.name, type });
  }
  for (const field of b) {
    if (!a.some(f => f.name === field.name)) fields.push(field);
  }
  return structOf(fields);
}

/** Whether a value of `from` becomes one of `to` without CAST and without loss of digits before the point. */
export function canWiden(from: SqlType, to: SqlType): boolean {
  if (sameType(from, to)) return true;
  if (to.kind === 'DOUBLE') return isNumeric(from);
  if (to.kind === 'BIGINT') return from.kind === 'INT';
  if (to.kind === 'DECIMAL') {
    const source = decimalOf(from);
    return (
      source !== null &&
      source.scale <= to.scale &&
      source.precision - source.scale <= to.precision - to.scale
    );
  }
  if (from.kind === 'ARRAY' && to.kind === 'ARRAY') return canWiden(from.element, to.element);
  if (from.kind === 'MAP' && to.kind === 'MAP') {
    return canWiden(from.key, to.key) && canWiden(from.value, to.value);
  }
  return from.kind === 'STRUCT' && to.kind === 'STRUCT' && fieldsAgree(from.fields, to.fields, canWiden);
}

function fieldsAgree(
  from: readonly StructField[],
  to: readonly StructField[],
  agree: (a: SqlType, b: SqlType) => boolean,
): boolean {
  const shared = from.filter(f => to.some(t => t.name === f.name));
  return (
    shared.length > 0 &&
    shared.every(f => {
      const target = to.find(t => t.name === f.name);
      return target !== undefined && agree(f.type, target.type);
    })
  );
}

/** Whether CAST(from AS to) exists. */
export function canCast(from: SqlType, to: SqlType): boolean {
  if (sameType(from, to)) return true;
  if (to.kind === 'STRING') return from.kind !== 'BYTES';
  switch (from.kind) {
    case 'INT':
    case 'BIGINT':
    case 'DECIMAL':
    case 'DOUBLE':
      return isNumeric(to);
    case 'STRING':
      return (
        to.kind === 'BOOLEAN' ||
        isNumeric(to) ||
        to.kind === 'DATE' ||
        to.kind === 'TIME' ||
        to.kind === 'TIMESTAMP'
      );
    case 'TIMESTAMP':
      return to.kind === 'DATE' || to.kind === 'TIME';
    case 'DATE':
      return to.kind === 'TIMESTAMP';
    case 'ARRAY':
      return to.kind === 'ARRAY' && canCast(from.element, to.element);
    case 'MAP':
      return to.kind === 'MAP' && canCast(from.key, to.key) && canCast(from.value, to.value);
    case 'STRUCT':
      return to.kind === 'STRUCT' && fieldsAgree(from.fields, to.fields, canCast);
    default:
      return false;
  }
}

/** Result type of `a op b`, or null where the operator does not take these types. */
export function arithmeticType(op: ArithmeticOp, a: SqlType, b: SqlType): SqlType | null {
  if (op === '+' && a.kind === 'STRING' && b.kind === 'STRING') return STRING;
  if (!isNumeric(a) || !isNumeric(b)) return null;
  if (a.kind === 'DOUBLE' || b.kind === 'DOUBLE') return DOUBLE;
  if (a.kind !== 'DECIMAL' && b.kind !== 'DECIMAL') {
    return a.kind === 'BIGINT' || b.kind === 'BIGINT' ? BIGINT : INT;
  }
  const x = decimalOf(a);
  const y = decimalOf(b);
  return x && y ? decimalResult(op, x, y) : null;
}

function decimalResult(op: ArithmeticOp, a: Decimal, b: Decimal): SqlType {
  const integral = a.precision - a.scale;
  switch (op) {
    case '+':
    case '-': {
      const scale = Math.max(a.scale, b.scale);
      return cappedDecimal(Math.max(integral, b.precision - b.scale) + scale + 1, scale);
    }
    case '*':
      return cappedDecimal(a.precision + b.precision + 1, a.scale + b.scale);
    case '/': {
      const scale = Math.max(6, a.scale + b.precision + 1);
      return cappedDecimal(integral + b.scale + scale, scale);
    }
    case '%': {
      const scale = Math.max(a.scale, b.scale);
      return cappedDecimal(Math.max(1, Math.min(integral, b.precision - b.scale) + scale), scale);
    }
  }
}

/** The type to which both sides of a comparison are cast, or null when they cannot be compared at all. */
export function comparisonType(a: SqlType, b: SqlType): SqlType | null {
  const common = commonType(a, b);
  if (common) return common;
  if (isTemporal(a) && b.kind === 'STRING') return a;
  if (isTemporal(b) && a.kind === 'STRING') return b;
  if ((a.kind === 'DATE' && b.kind === 'TIMESTAMP') || (a.kind === 'TIMESTAMP' && b.kind === 'DATE')) {
    return TIMESTAMP;
  }
  return null;
}

function isTemporal(type: SqlType): boolean {
  return type.kind === 'DATE' || type.kind === 'TIME' || type.kind === 'TIMESTAMP';
}

/** Whether values of the type have an order that `<` can ask for. */
export function isOrdered(type: SqlType): boolean {
  return isNumeric(type) || type.kind === 'STRING' || type.kind === 'BYTES' || isTemporal(type);
}

/** Whether `a op b` may be written. Without `op`: whether equality may. */
export function comparable(a: SqlType, b: SqlType, op: CompareOp = '='): boolean {
  const type = comparisonType(a, b);
  if (!type) return false;
  const ordering = op === '<' || op === '<=' || op === '>' || op === '>=';
  return !ordering || isOrdered(type);
}

const INTEGER_TEXT = /^-?\d+$/;
const DECIMAL_TEXT = /^-?(?:\d+\.\d*|\.\d+)$/;
const DOUBLE_TEXT = /^-?(?:\d+(?:\.\d*)?|\.\d+)[eE][+-]?\d+$/;

/**
 * A number as SQL writes it, with its type: digits alone are INT or BIGINT, with a point DECIMAL of just these digits,
 * with an exponent DOUBLE. A minus sign may stand before it, so that the smallest INT and BIGINT can be written.
 * null: no number, or one that no type holds.
 */
export function numberLiteral(text: string): { readonly type: SqlType; readonly value: Value } | null {
  if (INTEGER_TEXT.test(text)) {
    if (text.length > 400) return null;
    const value = BigInt(text);
    if (value >= -(2n ** 31n) && value < 2n ** 31n) return { type: INT, value: Number(value) };
    return value >= -(2n ** 63n) && value < 2n ** 63n ? { type: BIGINT, value } : null;
  }
  if (DECIMAL_TEXT.test(text)) {
    const negative = text.startsWith('-');
    const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.');
    const digits = (whole + fraction).replace(/^0+/, '');
    const precision = Math.max(digits.length, fraction.length, 1);
    if (precision > MAX_PRECISION) return null;
    const unscaled = BigInt(digits === '' ? '0' : digits);
    return { type: decimal(precision, fraction.length), value: negative ? -unscaled : unscaled };
  }
  if (DOUBLE_TEXT.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? { type: DOUBLE, value } : null;
  }
  return null;
}
