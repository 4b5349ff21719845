import type { SqlType } from '../../core/sql-type.ts';
import { BIGINT, decimal, INT, structOf } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';

/**
 * The exact sum of any number of DOUBLEs: a whole number times a power of two. It loses nothing, so values can be taken
 * away again and the order of additions does not matter. Doubles reach from 2^-1074 to 2^1024, hence the whole number
 * has at most about 2,100 bits, and some 60 to 100 with everyday values. NaN and infinities are counted apart.
 */
export interface ExactSum {
  /** sum = mantissa * 2^exponent; odd or 0, so that equal sums are equal states */
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly nan: bigint;
  readonly plusInfinity: bigint;
  readonly minusInfinity: bigint;
}

export const ZERO: ExactSum = { mantissa: 0n, exponent: 0, nan: 0n, plusInfinity: 0n, minusInfinity: 0n };

/** The mantissa is stored as a DECIMAL; it may have more digits than the type says, which never leaves the state. */
export const EXACT_SUM: SqlType = structOf([
  { name: 'MANTISSA', type: decimal(38, 0) },
  { name: 'EXPONENT', type: INT },
  { name: 'NAN', type: BIGINT },
  { name: 'PLUS_INFINITY', type: BIGINT },
  { name: 'MINUS_INFINITY', type: BIGINT },
]);

export function exactSumToValue(sum: ExactSum): Value {
  return [sum.mantissa, sum.exponent, sum.nan, sum.plusInfinity, sum.minusInfinity];
}

export function exactSumOf(value: Value | null | undefined): ExactSum {
  const [mantissa, exponent, nan, plusInfinity, minusInfinity] = value as unknown as [
    bigint,
    number,
    bigint,
    bigint,
    bigint,
  ];
  return { mantissa, exponent, nan, plusInfinity, minusInfinity };
}

const view = new DataView(new ArrayBuffer(8));

/** One DOUBLE as an exact sum. */
export function exactly(value: number): ExactSum {
  if (Number.isNaN(value)) return { ...ZERO, nan: 1n };
  if (value === Number.POSITIVE_INFINITY) return { ...ZERO, plusInfinity: 1n };
  if (value === Number.NEGATIVE_INFINITY) return { ...ZERO, minusInfinity: 1n };
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  const magnitude = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  return normal({ ...ZERO, mantissa: bits >> 63n ? -magnitude : magnitude, exponent });
}

function normal(sum: ExactSum): ExactSum {
  let { mantissa, exponent } = sum;
  if (mantissa === 0n) return { ...sum, mantissa: 0n, exponent: 0 };
  for (const step of [512, 64, 16, 4, 1]) {
    const mask = (1n << BigInt(step)) - 1n;
    while ((mantissa & mask) === 0n) {
      mantissa >>= BigInt(step);
      exponent += step;
    }
  }
  return { ...sum, mantissa, exponent };
}

/** a + sign * b */
function combine(a: ExactSum, b: ExactSum, sign: 1n | -1n): ExactSum {
  const exponent = Math.min(a.exponent, b.exponent);
  const x = a.mantissa << BigInt(a.exponent - exponent);
  const y = b.mantissa << BigInt(b.exponent - exponent);
  return normal({
    mantissa: x + sign * y,
    exponent,
    nan: a.nan + sign * b.nan,
    plusInfinity: a.plusInfinity + sign * b.plusInfinity,
    minusInfinity: a.minusInfinity + sign * b.minusInfinity,
  });
}

export function plus(a: ExactSum, b: ExactSum): ExactSum {
  return combine(a, b, 1n);
}

export function minus(a: ExactSum, b: ExactSum): ExactSum {
  return combine(a, b, -1n);
}

/** The product of two finite values; NaN or infinity in one of them makes it NaN. */
export function times(a: ExactSum, b: ExactSum): ExactSum {
  if (!isFiniteSum(a) || !isFiniteSum(b)) return { ...ZERO, nan: 1n };
  return normal({ ...ZERO, mantissa: a.mantissa * b.mantissa, exponent: a.exponent + b.exponent });
}

function isFiniteSum(sum: ExactSum): boolean {
  return sum.nan === 0n && sum.plusInfinity === 0n && sum.minusInfinity === 0n;
}

/** The DOUBLE nearest to sum / divisor, rounded once, ties to even. */
export function toDouble(sum: ExactSum, divisor = 1n): number {
  if (sum.nan > 0n || (sum.plusInfinity > 0n && sum.minusInfinity > 0n)) return Number.NaN;
  if (sum.plusInfinity > 0n) return Number.POSITIVE_INFINITY;
  if (sum.minusInfinity > 0n) return Number.NEGATIVE_INFINITY;
  const negative = sum.mantissa < 0n;
  const magnitude = negative ? -sum.mantissa : sum.mantissa;
  const value =
    divisor === 1n ? rounded(magnitude, sum.exponent) : quotient(magnitude, sum.exponent, divisor);
  // no negative zero, whatever was rounded away
  return (negative ? -value : value) + 0;
}

/** magnitude / divisor with 64 bits more than a double needs; a lost rest stays as a last bit that breaks ties. */
function quotient(magnitude: bigint, exponent: number, divisor: bigint): number {
  const shift = Math.max(0, 128 + bitLength(divisor) - bitLength(magnitude));
  const numerator = magnitude << BigInt(shift);
  const whole = numerator / divisor;
  const sticky = whole * divisor === numerator ? 0n : 1n;
  return rounded((whole << 1n) | sticky, exponent - shift - 1);
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return value === 0n ? 0 : (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0] ?? '0', 16)));
}

function rounded(magnitude: bigint, exponent: number): number {
  if (magnitude === 0n) return 0;
  // bits below the last one of a double of this size; subnormals end at 2^-1074
  const excess = Math.max(bitLength(magnitude) - 53, -1074 - exponent);
  if (excess <= 0) return scaled(Number(magnitude), exponent);
  const cut = BigInt(excess);
  const kept = magnitude >> cut;
  const rest = magnitude - (kept << cut);
  const half = 1n << (cut - 1n);
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  return scaled(Number(up ? kept + 1n : kept), exponent + excess);
}

/** value * 2^exponent in steps that do not leave the range before the end. */
function scaled(value: number, exponent: number): number {
  while (exponent > 1000) {
    value *= 2 ** 1000;
    exponent -= 1000;
    if (value === Number.POSITIVE_INFINITY) return value;
  }
  if (exponent >= -1000) return value * 2 ** exponent;
  return value * 2 ** -1000 * 2 ** (exponent + 1000);
}
