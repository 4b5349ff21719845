import { fail, shown } from './decode-error.ts';

/** Digits beyond this (written out, without exponent) are refused: 1e999999999 must not allocate. */
const MAX_DIGITS = 400;

const DECIMAL_TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;

export interface ExactNumber {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** The exact value of a decimal number text: `unscaled` / 10^`scale`, scale >= 0. Null when the text is no number. */
export function exactNumber(text: string): ExactNumber | null {
  const match = DECIMAL_TEXT.exec(text);
  if (!match) return null;
  const [, sign, whole = '', fraction = '', exponent] = match;
  if (whole === '' && fraction === '') return null;
  const shift = exponent === undefined ? 0 : Number(exponent);
  if (whole.length + fraction.length + Math.abs(shift) > MAX_DIGITS) {
    if (/^0*$/.test(whole + fraction)) return { unscaled: 0n, scale: 0 };
    return fail(`number ${shown(text)} has too many digits`);
  }
  let unscaled = BigInt(whole + fraction);
  let scale = fraction.length - shift;
  if (scale < 0) {
    unscaled *= 10n ** BigInt(-scale);
    scale = 0;
  }
  return { unscaled: sign === '-' ? -unscaled : unscaled, scale };
}

/** The number as an unscaled DECIMAL(precision, scale); fails when it does not fit without rounding. */
export function toDecimal(text: string, precision: number, scale: number): bigint {
  const exact = exactNumber(text) ?? fail(`${shown(text)} is no number`);
  let unscaled = exact.unscaled;
  if (exact.scale <= scale) {
    unscaled *= 10n ** BigInt(scale - exact.scale);
  } else {
    const divisor = 10n ** BigInt(exact.scale - scale);
    if (unscaled % divisor !== 0n)
      return fail(`${text} does not fit DECIMAL(${precision}, ${scale}) exactly`);
    unscaled /= divisor;
  }
  const limit = 10n ** BigInt(precision);
  if (unscaled >= limit || unscaled <= -limit) {
    return fail(`${text} does not fit DECIMAL(${precision}, ${scale})`);
  }
  return unscaled;
}

const MIN_I64 = -(2n ** 63n);
const MAX_I64 = 2n ** 63n - 1n;

/** The number without its fraction as a BIGINT; fails outside 64 bits. */
export function toBigint(text: string): bigint {
  const exact = exactNumber(text) ?? fail(`${shown(text)} is no number`);
  const whole = exact.scale === 0 ? exact.unscaled : exact.unscaled / 10n ** BigInt(exact.scale);
  return whole >= MIN_I64 && whole <= MAX_I64 ? whole : fail(`${text} does not fit BIGINT`);
}

/** The number without its fraction as an INT; fails outside 32 bits. */
export function toInt(text: string): number {
  const whole = toBigint(text);
  return whole >= -2147483648n && whole <= 2147483647n ? Number(whole) : fail(`${text} does not fit INT`);
}

/** An unscaled DECIMAL written with all digits of its scale: 12.50. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const cut = digits.length - scale;
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, cut)}.${digits.slice(cut)}`;
}

/**
 * A DOUBLE as Java writes it: the shortest digits that read back, always with a fraction (`1.0`), in scientific form
 * outside [10^-3, 10^7) (`1.5E-5`). So text in topics is the same as ksqlDB's.
 */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}
