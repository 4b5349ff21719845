import { parseDate, parseTime, parseTimestamp } from '../../core/iso-time.ts';
import type { Span } from '../../core/span.ts';
import { type SqlType, STRING, type StructField, sameType, typeText } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { canWiden, commonType, numberLiteral } from '../../expr/coercion.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Problems } from './problems.ts';
import { sameIgnoringCase } from './source.ts';

/** NULL as it is written, before anything says what type it has. Known by identity. */
export const UNTYPED_NULL: Expr = Object.freeze({ node: 'literal', type: STRING, value: null });

export function literal(type: SqlType, value: Value | null): Expr {
  return { node: 'literal', type, value };
}

/** The expression as this type where SQL converts without CAST; null where it does not. */
export function coerceTo(expr: Expr, type: SqlType): Expr | null {
  if (expr === UNTYPED_NULL) return literal(type, null);
  if (sameType(expr.type, type)) return expr;
  if (sameIgnoringCase(expr.type, type)) return { ...expr, type };
  if (expr.node === 'literal') {
    const converted = convertLiteral(expr.type, expr.value, type);
    if (converted !== undefined) return literal(type, converted);
  }
  const rebuilt = coerceConstructor(expr, type);
  if (rebuilt) return rebuilt;
  return canWiden(expr.type, type) ? { node: 'cast', type, arg: expr } : null;
}

/** ARRAY[...], MAP(...) and STRUCT(...) convert their elements, so that string literals inside may stand for numbers. */
function coerceConstructor(expr: Expr, type: SqlType): Expr | null {
  if (expr.node === 'array' && type.kind === 'ARRAY') {
    const items = coerceAll(expr.items, type.element);
    return items && { ...expr, type, items };
  }
  if (expr.node === 'map' && type.kind === 'MAP') {
    const keys = coerceAll(
      expr.entries.map(e => e.key),
      type.key,
    );
    const values = coerceAll(
      expr.entries.map(e => e.value),
      type.value,
    );
    if (!keys || !values) return null;
    const entries = keys.map((key, i) => ({ key, value: values[i] ?? UNTYPED_NULL }));
    return { ...expr, type, entries };
  }
  if (expr.node === 'struct' && type.kind === 'STRUCT' && expr.type.kind === 'STRUCT') {
    const places = fieldPlaces(expr.type.fields, type.fields);
    if (places === null) return null;
    const fields: Expr[] = [];
    for (const [i, field] of type.fields.entries()) {
      const arg = expr.fields[places.indexOf(i)];
      const value = arg === undefined ? literal(field.type, null) : coerceTo(arg, field.type);
      if (!value) return null;
      fields.push(value);
    }
    return { ...expr, type, fields };
  }
  return null;
}

/** Where each field goes: to the one of its name, else to one of its name without case that nothing else goes to. */
function fieldPlaces(from: readonly StructField[], to: readonly StructField[]): readonly number[] | null {
  const places = from.map(f => to.findIndex(t => t.name === f.name));
  for (const [i, field] of from.entries()) {
    if (places[i] !== -1) continue;
    const upper = field.name.toUpperCase();
    const place = to.findIndex((t, k) => t.name.toUpperCase() === upper && !places.includes(k));
    if (place < 0) return null;
    places[i] = place;
  }
  return places;
}

function coerceAll(items: readonly Expr[], type: SqlType): readonly Expr[] | null {
  const done: Expr[] = [];
  for (const item of items) {
    const value = coerceTo(item, type);
    if (!value) return null;
    done.push(value);
  }
  return done;
}

export function isTemporal(type: SqlType): boolean {
  return type.kind === 'DATE' || type.kind === 'TIME' || type.kind === 'TIMESTAMP';
}

export function isStringLiteral(expr: Expr): expr is Extract<Expr, { node: 'literal' }> {
  return (
    expr !== UNTYPED_NULL && expr.node === 'literal' && expr.type.kind === 'STRING' && expr.value !== null
  );
}

/** A literal's value in another type, or undefined where it has none without CAST. */
function convertLiteral(from: SqlType, value: Value | null, to: SqlType): Value | null | undefined {
  if (value === null) return null;
  if (typeof value === 'string' && from.kind === 'STRING') return parseText(value, to);
  const text = numberText(from, value);
  if (text === null) return undefined;
  if (to.kind === 'STRING') return text;
  return canWiden(from, to) ? parseText(text, to) : undefined;
}

/** The digits of a number literal. */
function numberText(type: SqlType, value: Value): string | null {
  if (type.kind === 'INT' || type.kind === 'BIGINT' || type.kind === 'DOUBLE') return String(value);
  if (type.kind !== 'DECIMAL' || typeof value !== 'bigint') return null;
  const digits = (value < 0n ? -value : value).toString().padStart(type.scale + 1, '0');
  const whole = digits.slice(0, digits.length - type.scale);
  const fraction = digits.slice(digits.length - type.scale);
  return `${value < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function parseText(text: string, to: SqlType): Value | undefined {
  const trimmed = text.trim();
  switch (to.kind) {
    case 'STRING':
      return text;
    case 'BOOLEAN':
      if (/^(true|t|yes|y|on)$/i.test(trimmed)) return true;
      return /^(false|f|no|n|off)$/i.test(trimmed) ? false : undefined;
    case 'DOUBLE': {
      const number = numberLiteral(trimmed) === null ? Number.NaN : Number(trimmed);
      return Number.isFinite(number) ? number : undefined;
    }
    case 'INT':
    case 'BIGINT': {
      const found = numberLiteral(trimmed);
      if (!found || (found.type.kind !== 'INT' && found.type.kind !== 'BIGINT')) return undefined;
      if (to.kind === 'BIGINT') return BigInt(found.value as number | bigint);
      return found.type.kind === 'INT' ? found.value : undefined;
    }
    case 'DECIMAL': {
      const found = numberLiteral(trimmed);
      if (!found || found.type.kind === 'DOUBLE') return undefined;
      const scale = found.type.kind === 'DECIMAL' ? found.type.scale : 0;
      if (scale > to.scale) return undefined;
      const unscaled = BigInt(found.value as number | bigint) * 10n ** BigInt(to.scale - scale);
      const most = 10n ** BigInt(to.precision);
      return unscaled < most && unscaled > -most ? unscaled : undefined;
    }
    case 'DATE':
      return parseDate(trimmed) ?? undefined;
    case 'TIME':
      return parseTime(trimmed) ?? undefined;
    case 'TIMESTAMP':
      return parseTimestamp(trimmed) ?? undefined;
    default:
      return undefined;
  }
}

export interface Item {
  readonly expr: Expr;
  readonly span: Span;
}

/** Whether it is made of literals alone, so that its type may still change. */
function isLiteralTree(expr: Expr): boolean {
  switch (expr.node) {
    case 'literal':
      return true;
    case 'array':
      return expr.items.some(isLiteralTree);
    case 'map':
      return expr.entries.some(e => isLiteralTree(e.value) || isLiteralTree(e.key));
    case 'struct':
      return expr.fields.some(isLiteralTree);
    default:
      return false;
  }
}

/**
 * The one type of CASE branches, IN lists, array elements and map values, with the items as that type. Columns decide
 * before literals; a string literal may stand for a number or a date there. null: all items are NULL.
 */
export function unify(items: readonly Item[], what: string, problems: Problems): SqlType | null {
  let common: SqlType | null = null;
  const rest: Item[] = [];
  for (const item of items) {
    if (item.expr === UNTYPED_NULL) continue;
    if (isLiteralTree(item.expr)) {
      rest.push(item);
      continue;
    }
    const next: SqlType | null = common === null ? item.expr.type : commonType(common, item.expr.type);
    if (!next) throw mismatch(item, common ?? item.expr.type, what, problems);
    common = next;
  }
  rest.sort((a, b) => Number(isStringLiteral(a.expr)) - Number(isStringLiteral(b.expr)));
  for (const item of rest) {
    const next: SqlType | null = common === null ? item.expr.type : commonType(common, item.expr.type);
    if (next) common = next;
    else if (common === null || !coerceTo(item.expr, common)) {
      throw mismatch(item, common ?? item.expr.type, what, problems);
    }
  }
  return common;
}

function mismatch(item: Item, type: SqlType, what: string, problems: Problems) {
  if (isStringLiteral(item.expr)) {
    return problems.error(
      'type_mismatch',
      item.span,
      `'${String(item.expr.value)}' is no ${typeText(type)}, the type of the other ${what}`,
      `write a ${typeText(type)} here, or CAST the others AS STRING`,
    );
  }
  return problems.error(
    'type_mismatch',
    item.span,
    `this is ${typeText(item.expr.type)}, but the other ${what} are ${typeText(type)}`,
    'write CAST(... AS ...) to make them one type',
  );
}

/** The items as their common type. */
export function asCommon(
  items: readonly Item[],
  type: SqlType,
  what: string,
  problems: Problems,
): readonly Expr[] {
  return items.map(item => {
    const expr = coerceTo(item.expr, type);
    if (!expr) throw mismatch(item, type, what, problems);
    return expr;
  });
}
