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

/** A block: its bytes, a view on them, the targets of the fields in order and then those of columns that the records do not have, which are NULL. */
export interface ShapedBlock {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly targets: readonly Target[];
}

/**
 * Reads records [k, until) of the shape into rows from `row` on; the first that was not read, as it is not quite of this
 * shape, or `until`.
 */
export type ShapeScanner = (
  block: ShapedBlock,
  stretch: Stretch,
  k: number,
  until: number,
  row: number,
) => number;

/**
 * Compiles a scanner for records that are written exactly like the ones before: the same fields in the same order, no
 * space. Values of the expected sort are read in place, all others (NULL, numbers in quotes, days, nested values) by the
 * general scanner of one value. Anything else makes it give up, and the general scanner reads the record.
 * Only numbers reach the source: lengths, kinds and the bytes of names. Null where the host forbids code from text.
 */
export function compileShape(fields: readonly ShapeField[], missing: number): ShapeScanner | null {
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
  // one function for all blocks: what it keeps in locals stands in registers, what a closure holds is loaded each time
  const source = `"use strict";
return function ({ bytes: b, view: dv, targets }, { starts, ends, records }, k, until, row) {
${bindings}
${arrays}
  let p = 0, end = 0, q = 0, c = 0, m = 0, v = 0, w = 0, x = 0, y = 0, z = 0, n = 0, negative = false;
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
    return (new Function('scan', source) as (scan: typeof scanScalar) => ShapeScanner)(scanScalar);
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

/** The top bit of each byte of a word that is a quote, a backslash, a control or no ASCII; of others behind such a one too. */
function oddBytes(word: string): string {
  return `(((x = ${word} ^ 0x22222222) - 0x01010101) & ~x) | (((y = ${word} ^ 0x5c5c5c5c) - 0x01010101) & ~y) | (${word} - 0x20202020) | ${word}`;
}

/** A string of plain ASCII: eight bytes at a time, then byte by byte. Any other one is read again by the general scanner. */
function stringSource(f: number, wanted: boolean): string {
  const found = `a${f}[row] = p + 1;
    e${f}[row] = q;
    if (k${f} !== null) k${f}[row] = d${f}.idOf(dv, p + 1, q);`;
  return `  q = p + 1;
  c = 0;
  for (; q + 8 <= end; q += 8) {
    w = dv.getInt32(q, true);
    v = dv.getInt32(q + 4, true);
    z = (${oddBytes('w')}) & 0x80808080;
    if (z === 0) {
      z = (${oddBytes('v')}) & 0x80808080;
      if (z === 0) continue;
      q += 4;
    }
    q += (31 - Math.clz32(z & -z)) >>> 3;
    c = b[q];
    break;
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

/** The digits at q behind those in m: four at a time where there may be many, the last ones as a small whole number. */
function digitsSource(many: boolean): string {
  const four = `  for (; q + 4 <= end; q += 4) {
    w = dv.getInt32(q, true);
    if ((((w & 0xf0f0f0f0) ^ 0x30303030) | (((w + 0x06060606) & 0xf0f0f0f0) ^ 0x30303030)) !== 0) break;
    w &= 0x0f0f0f0f;
    w = (Math.imul(w, 10) + (w >>> 8)) & 0x00ff00ff;
    m = m * 10000 + ((Math.imul(w, 100) + (w >>> 16)) & 0xffff);
  }
`;
  return `${many ? four : ''}  x = 0;
  y = q;
  for (c = b[q] - 48; c >= 0 && c <= 9; c = b[++q] - 48) x = (Math.imul(x, 10) + c) | 0;
  y = q - y;
  m = y === 0 ? m : y === 1 ? m * 10 + x : y === 2 ? m * 100 + x : m * 1000 + x;
`;
}

/** The whole part of a number into m, its digits into n. */
const numberSource = `  q = p;
  negative = b[q] === 45;
  if (negative) q++;
  n = q;
  m = 0;
${digitsSource(true)}
  n = q - n;
  if (n === 0 || q > end || (n > 1 && b[q - n] === 48)) return k;`;

/** The fraction too: its digits into w. More than `most` are of no use. */
function fractionSource(most: number): string {
  const many = most > 3;
  return `  w = 0;
  if (c === -2) {
    v = ++q;
${digitsSource(many)}
    w = q - v;
    if (w === 0${many ? '' : ' || w > 3'}) return k;
    n += w;
  }
  if (c === 53 || c === 21) return k;`;
}

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
      return `${numberSource}\n${fractionSource(scale)}
  if (w > ${scale} || n + ${scale} - w > 15) return k;
  m = ${powers.join('')}m;${limit}${wanted ? `\n  m = ${signed};\n  ${words}` : ''}\n  p = q;`;
    }
    case Kind.DOUBLE:
      return `${numberSource}\n${fractionSource(15)}
  if (n > 15) return k;${wanted ? `\n  m = m / Math.pow(10, w);\n  a${f}[row] = ${signed};` : ''}\n  p = q;`;
    default:
      return '  return k;';
  }
}
