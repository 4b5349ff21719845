/**
 * Exact decimal arithmetic on unscaled integers: 12.50 with scale 2 is 1250n. Nothing here knows precision limits but
 * {@link fitsPrecision}; callers check results against their type.
 */

const POWERS: readonly bigint[] = Array.from({ length: 80 }, (_, n) => 10n ** BigInt(n));

/** 10^n. */
export function pow10(n: number): bigint {
  return POWERS[n] ?? 10n ** BigInt(n);
}

/** Whether the unscaled value has at most this many digits. */
export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const limit = pow10(precision);
  return unscaled < limit && unscaled > -limit;
}

/** a / b rounded to an integer, halves away from zero. b must not be 0. */
export function divideHalfUp(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  const rest = a - quotient * b;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  if (twice < (b < 0n ? -b : b)) return quotient;
  return a < 0n === b < 0n ? quotient + 1n : quotient - 1n;
}

/** The same number at another scale, halves away from zero. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * pow10(to - from);
  return divideHalfUp(unscaled, pow10(from - to));
}

/** The integral part, cut towards zero. */
export function truncate(unscaled: bigint, scale: number): bigint {
  return unscaled / pow10(scale);
}

/** An operand with its scale, and the scale of the result. */
export interface DecimalOperands {
  readonly a: bigint;
  readonly aScale: number;
  readonly b: bigint;
  readonly bScale: number;
  readonly scale: number;
}

export function addDecimals({ a, aScale, b, bScale, scale }: DecimalOperands): bigint {
  const wide = Math.max(aScale, bScale);
  return rescale(rescale(a, aScale, wide) + rescale(b, bScale, wide), wide, scale);
}

export function subtractDecimals(operands: DecimalOperands): bigint {
  return addDecimals({ ...operands, b: -operands.b });
}

export function multiplyDecimals({ a, aScale, b, bScale, scale }: DecimalOperands): bigint {
  return rescale(a * b, aScale + bScale, scale);
}

/** b must not be 0. */
export function divideDecimals({ a, aScale, b, bScale, scale }: DecimalOperands): bigint {
  const shift = scale + bScale - aScale;
  return shift >= 0 ? divideHalfUp(a * pow10(shift), b) : divideHalfUp(a, b * pow10(-shift));
}

/** The rest of the division cut towards zero: it has the sign of a. b must not be 0. */
export function remainderDecimals({ a, aScale, b, bScale, scale }: DecimalOperands): bigint {
  const wide = Math.max(aScale, bScale);
  return rescale(rescale(a, aScale, wide) % rescale(b, bScale, wide), wide, scale);
}

/** Negative, 0 or positive. */
export function compareDecimals(a: bigint, aScale: number, b: bigint, bScale: number): number {
  if (aScale !== bScale) {
    const wide = Math.max(aScale, bScale);
    return compareDecimals(rescale(a, aScale, wide), wide, rescale(b, bScale, wide), wide);
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** All digits of the scale: `12.50`. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const NUMBER = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?\s*$/;

/** A decimal number as text, exponents allowed; null when it is none. */
export function parseDecimal(text: string): { readonly unscaled: bigint; readonly scale: number } | null {
  const match = NUMBER.exec(text);
  if (!match) return null;
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  if (whole === '' && fraction === '') return null;
  const magnitude = BigInt(whole + fraction);
  const unscaled = match[1] === '-' ? -magnitude : magnitude;
  const scale = fraction.length - Number(match[4] ?? '0');
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * pow10(-scale), scale: 0 };
}

/** The nearest double. */
export function decimalToDouble(unscaled: bigint, scale: number): number {
  return Number(formatDecimal(unscaled, scale));
}

/** The decimal of a double's shortest text (1.1 is 1.1), at this scale; null when it is not finite. */
export function doubleToDecimal(value: number, scale: number): bigint | null {
  if (!Number.isFinite(value)) return null;
  const parsed = parseDecimal(String(value));
  return parsed && rescale(parsed.unscaled, parsed.scale, scale);
}
