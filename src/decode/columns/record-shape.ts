import { Kind, type Target } from './scalar-scanner.ts';

/** A field of a shape: its name with the quotes, and where its values go. */
export interface ShapeField {
  readonly name: Uint8Array;
  readonly target: Target;
}

/** Reads one record of the shape into row `row`; false: it is not quite of this shape. */
export type ShapeScanner = (p: number, end: number, row: number) => boolean;

/** Makes the scanner for a block: bytes, a view on them, and the targets of the fields in order. */
export type ShapeFactory = (bytes: Uint8Array, view: DataView, targets: readonly Target[]) => ShapeScanner;

/**
 * Compiles a scanner for records that are written exactly like the ones before: the same fields in the same order, no
 * space, plain ASCII tokens. Anything else makes it give up, and the general scanner reads the record.
 * Only numbers reach the source: lengths, kinds and the bytes of names. Null where the host forbids code from text.
 */
export function compileShape(fields: readonly ShapeField[]): ShapeFactory | null {
  if (fields.length === 0 || fields.some(f => f.target.kind === Kind.OTHER)) return null;
  const parts = fields.map((field, f) => {
    const open = [f === 0 ? 0x7b : 0x2c, ...field.name, 0x3a];
    return `${literal(open)}\n${valueSource(field.target, f)}`;
  });
  const bindings = fields.map((_, f) => `const t${f} = targets[${f}], s${f} = t${f}.sink;`).join('\n');
  const arrays = fields.map((field, f) => arraysSource(field.target, f)).join('\n');
  const source = `"use strict";
${bindings}
${arrays}
return function (p, end, row) {
  let q = 0, c = 0, m = 0, w = 0, x = 0, y = 0, n = 0, negative = false;
  if (end - p < ${fields.reduce((sum, f) => sum + f.name.length + 3, 1)}) return false;
${parts.join('\n')}
  return p === end - 1 && b[p] === 125;
};`;
  try {
    return new Function('b', 'dv', 'targets', source) as ShapeFactory;
  } catch {
    return null;
  }
}

/** Compares bytes at p, four at a time, and moves behind them. */
function literal(bytes: readonly number[]): string {
  const tests: string[] = [`p + ${bytes.length} > end`];
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const word = bytes.slice(at, at + 4).reduce((sum, byte, i) => sum | (byte << (8 * i)), 0);
    tests.push(`dv.getInt32(p + ${at}, true) !== ${word}`);
  }
  for (; at < bytes.length; at++) tests.push(`b[p + ${at}] !== ${bytes[at]}`);
  return `  if (${tests.join(' || ')}) return false;\n  p += ${bytes.length};`;
}

/** The typed arrays of a field's column, when it is wanted. */
function arraysSource({ kind, sink }: Target, f: number): string {
  if (sink === null) return '';
  switch (kind) {
    case Kind.STRING:
      return `const a${f} = s${f}.start, e${f} = s${f}.end, k${f} = s${f}.keys, d${f} = s${f}.dictionary;`;
    case Kind.BIGINT:
    case Kind.DECIMAL:
      return `const a${f} = s${f}.words;`;
    case Kind.DOUBLE:
    case Kind.TIMESTAMP:
      return `const a${f} = s${f}.f64;`;
    default:
      return `const a${f} = s${f}.i32;`;
  }
}

function valueSource(target: Target, f: number): string {
  const { kind } = target;
  if (kind === Kind.STRING) return stringSource(f, target.sink !== null);
  if (kind === Kind.ANY) {
    return `  if (b[p] === 34) {\n${stringSource(f, false)}\n  } else {\n${numberSource}\n${fractionSource}\n  p = q;\n  }`;
  }
  if (kind === Kind.BOOLEAN) return booleanSource(f, target.sink !== null);
  return numericSource(target, f);
}

/** A string of plain ASCII: word by word, then byte by byte. */
function stringSource(f: number, wanted: boolean): string {
  return `  if (b[p] !== 34) return false;
  q = p + 1;
  while (q + 4 <= end) {
    w = dv.getInt32(q, true);
    x = w ^ 0x22222222;
    y = w ^ 0x5c5c5c5c;
    if ((((x - 0x01010101) & ~x) | ((y - 0x01010101) & ~y) | (w - 0x20202020) | w) & 0x80808080) break;
    q += 4;
  }
  for (;;) {
    if (q >= end) return false;
    c = b[q];
    if (c === 34) break;
    if (c < 32 || c === 92 || c >= 128) return false;
    q++;
  }${wanted ? `\n  a${f}[row] = p + 1;\n  e${f}[row] = q;\n  if (k${f} !== null) k${f}[row] = d${f}.idOf(dv, p + 1, q);` : ''}
  p = q + 1;`;
}

/** The whole part of a number into m, its digits into n. */
const numberSource = `  q = p;
  negative = b[q] === 45;
  if (negative) q++;
  n = q;
  m = 0;
  for (c = b[q] - 48; c >= 0 && c <= 9; c = b[++q] - 48) m = m * 10 + c;
  n = q - n;
  if (n === 0 || q > end || (n > 1 && b[q - n] === 48)) return false;`;

/** The fraction too: its digits into w. */
const fractionSource = `  w = 0;
  if (c === -2) {
    w = ++q;
    for (c = b[q] - 48; c >= 0 && c <= 9; c = b[++q] - 48) m = m * 10 + c;
    w = q - w;
    if (w === 0) return false;
    n += w;
  }
  if (c === 53 || c === 21) return false;`;

function numericSource(target: Target, f: number): string {
  const signed = 'negative ? -m : m';
  const wanted = target.sink !== null;
  const words = `x = Math.floor(m / 4294967296);
  a${f}[row * 2] = (m - x * 4294967296) | 0;
  a${f}[row * 2 + 1] = x;`;
  const whole = `${numberSource}\n  if (c === -2 || c === 53 || c === 21) return false;`;
  switch (target.kind) {
    case Kind.INT:
      return `${whole}\n  if (n > 9) return false;${wanted ? `\n  a${f}[row] = ${signed};` : ''}\n  p = q;`;
    case Kind.BIGINT:
      return `${whole}\n  if (n > 15) return false;${wanted ? `\n  m = ${signed};\n  ${words}` : ''}\n  p = q;`;
    case Kind.TIMESTAMP:
      return `${whole}\n  if (n > 15) return false;${wanted ? `\n  a${f}[row] = negative && m !== 0 ? -m : m;` : ''}\n  p = q;`;
    case Kind.DECIMAL: {
      const limit = target.precision < 16 ? `\n  if (m >= ${10 ** target.precision}) return false;` : '';
      const { scale } = target;
      const powers = Array.from({ length: scale + 1 }, (_, i) => `w === ${i} ? m * ${10 ** (scale - i)} : `);
      return `${numberSource}\n${fractionSource}
  if (w > ${scale} || n + ${scale} - w > 15) return false;
  m = ${powers.join('')}m;${limit}${wanted ? `\n  m = ${signed};\n  ${words}` : ''}\n  p = q;`;
    }
    case Kind.DOUBLE:
      return `${numberSource}\n${fractionSource}
  if (n > 15) return false;${wanted ? `\n  m = m / Math.pow(10, w);\n  a${f}[row] = ${signed};` : ''}\n  p = q;`;
    default:
      return '  return false;';
  }
}

function booleanSource(f: number, wanted: boolean): string {
  const set = (value: number) => (wanted ? ` a${f}[row] = ${value};` : '');
  const is = (word: string) =>
    [...word].map((char, i) => `b[p + ${i}] === ${char.charCodeAt(0)}`).join(' && ');
  return `  if (${is('true')}) {${set(1)} p += 4; }
  else if (${is('false')}) {${set(0)} p += 5; }
  else return false;`;
}
