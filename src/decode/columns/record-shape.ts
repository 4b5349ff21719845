import { Kind, scanScalar, type Target } from './scalar-scanner.ts';

/** A field of a shape: its name with the quotes, and where its values go. */
export interface ShapeField {
  readonly name: Uint8Array;
  readonly target: Target;
}

/** Records of a block: `records[k]` begins at `starts[records[k]]` and ends at `ends[...]`; a start below 0 is none. */
export interface Stretch {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly records: Int32Array;
}

/**
 * Reads records [k, until) of the shape into rows from `row` on; the first that was not read, as it is not quite of this
 * shape, or `until`.
 */
export type ShapeScanner = (stretch: Stretch, k: number, until: number, row: number) => number;

/**
 * Makes the scanner for a block: bytes, a view on them, the targets of the fields in order and then those of columns
 * that the records do not have, which are NULL.
 */
export type ShapeFactory = (bytes: Uint8Array, view: DataView, targets: readonly Target[]) => ShapeScanner;

/**
 * Compiles a scanner for records that are written exactly like the ones before: the same fields in the same order, no
 * space. Values of the expected sort are read in place, all others (NULL, numbers in quotes, days, nested values) by the
 * general scanner of one value. Anything else makes it give up, and the general scanner reads the record.
 * Only numbers reach the source: lengths, kinds and the bytes of names. Null where the host forbids code from text.
 */
export function compileShape(fields: readonly ShapeField[], missing: number): ShapeFactory | null {
  if (fields.length === 0) return null;
  const parts = fields.map((field, f) => {
    const open = [f === 0 ? 0x7b : 0x2c, ...field.name, 0x3a];
    return `${literal(open)}\n${valueSource(field.target, f)}`;
  });
  const absent = Array.from({ length: missing }, (_, i) => fields.length + i);
  const bindings = [...fields.keys(), ...absent]
    .map(f => `const t${f} = targets[${f}], s${f} = t${f}.sink;`)
    .join('\n');
  const arrays = fields.map((field, f) => arraysSource(field.target, f)).join('\n');
  const source = `"use strict";
${bindings}
${arrays}
return function ({ starts, ends, records }, k, until, row) {
  let p = 0, end = 0, q = 0, c = 0, m = 0, w = 0, x = 0, y = 0, z = 0, n = 0, negative = false;
  for (; k < until; k++, row++) {
  p = starts[records[k]];
  end = ends[records[k]];
  if (p < 0 || end - p < ${fields.reduce((sum, f) => sum + f.name.length + 3, 1)}) return k;
${parts.join('\n')}
  if (p !== end - 1 || b[p] !== 125) return k;
${absent.map(f => `  if (s${f} !== null) s${f}.setNull(row);`).join('\n')}
  }
  return k;
};`;
  try {
    const bind = new Function('b', 'dv', 'targets', 'scan', source) as (
      ...args: [...Parameters<ShapeFactory>, typeof scanScalar]
    ) => ShapeScanner;
    return (bytes, view, targets) => bind(bytes, view, targets, scanScalar);
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
  return `  if (${tests.join(' || ')}) return k;\n  p += ${bytes.length};`;
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
  const general = `  p = scan(b, p, end, t${f}, row);\n  if (p < 0) return k;`;
  if (kind === Kind.OTHER || kind === Kind.BOOLEAN) return general;
  if (kind === Kind.STRING || kind === Kind.ANY) {
    return `  if (b[p] === 34) {\n${stringSource(f, target.sink !== null)}\n  } else {\n${general}\n  }`;
  }
  return `  c = b[p];\n  if (c === 45 || (c >= 48 && c <= 57)) {\n${numericSource(target, f)}\n  } else {\n${general}\n  }`;
}

/** A string of plain ASCII: word by word, then byte by byte. Any other one is read again by the general scanner. */
function stringSource(f: number, wanted: boolean): string {
  const found = `a${f}[row] = p + 1;
    e${f}[row] = q;
    if (k${f} !== null) k${f}[row] = d${f}.idOf(dv, p + 1, q);`;
  // z: the top bit of the first byte that is a quote, a backslash, a control or no ASCII; others behind it may be wrong
  return `  q = p + 1;
  c = 0;
  while (q + 4 <= end) {
    w = dv.getInt32(q, true);
    x = w ^ 0x22222222;
    y = w ^ 0x5c5c5c5c;
    z = (((x - 0x01010101) & ~x) | ((y - 0x01010101) & ~y) | (w - 0x20202020) | w) & 0x80808080;
    if (z !== 0) {
      q += (31 - Math.clz32(z & -z)) >>> 3;
      c = b[q];
      break;
    }
    q += 4;
  }
  while (c === 0) {
    if (q >= end) return k;
    c = b[q];
    if (c === 34 || c < 32 || c === 92 || c >= 128) break;
    c = 0;
    q++;
  }
  if (c === 34) {
    ${wanted ? found : ''}
    p = q + 1;
  } else {
    p = scan(b, p, end, t${f}, row);
    if (p < 0) return k;
  }`;
}

/** The whole part of a number into m, its digits into n. */
const numberSource = `  q = p;
  negative = b[q] === 45;
  if (negative) q++;
  n = q;
  m = 0;
  for (c = b[q] - 48; c >= 0 && c <= 9; c = b[++q] - 48) m = m * 10 + c;
  n = q - n;
  if (n === 0 || q > end || (n > 1 && b[q - n] === 48)) return k;`;

/** The fraction too: its digits into w. */
const fractionSource = `  w = 0;
  if (c === -2) {
    w = ++q;
    for (c = b[q] - 48; c >= 0 && c <= 9; c = b[++q] - 48) m = m * 10 + c;
    w = q - w;
    if (w === 0) return k;
    n += w;
  }
  if (c === 53 || c === 21) return k;`;

function numericSource(target: Target, f: number): string {
  const signed = 'negative ? -m : m';
  const wanted = target.sink !== null;
  const words = `x = Math.floor(m / 4294967296);
  a${f}[row * 2] = (m - x * 4294967296) | 0;
  a${f}[row * 2 + 1] = x;`;
  const whole = `${numberSource}\n  if (c === -2 || c === 53 || c === 21) return k;`;
  switch (target.kind) {
    case Kind.INT:
    case Kind.DATE:
    case Kind.TIME:
      return `${whole}\n  if (n > 9) return k;${wanted ? `\n  a${f}[row] = ${signed};` : ''}\n  p = q;`;
    case Kind.BIGINT:
      return `${whole}\n  if (n > 15) return k;${wanted ? `\n  m = ${signed};\n  ${words}` : ''}\n  p = q;`;
    case Kind.TIMESTAMP:
      return `${whole}\n  if (n > 15) return k;${wanted ? `\n  a${f}[row] = negative && m !== 0 ? -m : m;` : ''}\n  p = q;`;
    case Kind.DECIMAL: {
      const limit = target.precision < 16 ? `\n  if (m >= ${10 ** target.precision}) return k;` : '';
      const { scale } = target;
      const powers = Array.from({ length: scale + 1 }, (_, i) => `w === ${i} ? m * ${10 ** (scale - i)} : `);
      return `${numberSource}\n${fractionSource}
  if (w > ${scale} || n + ${scale} - w > 15) return k;
  m = ${powers.join('')}m;${limit}${wanted ? `\n  m = ${signed};\n  ${words}` : ''}\n  p = q;`;
    }
    case Kind.DOUBLE:
      return `${numberSource}\n${fractionSource}
  if (n > 15) return k;${wanted ? `\n  m = m / Math.pow(10, w);\n  a${f}[row] = ${signed};` : ''}\n  p = q;`;
    default:
      return '  return k;';
  }
}
