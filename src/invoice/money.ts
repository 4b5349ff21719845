/**
 * Money is counted in minor units (cents) as a bigint; with the minor digits of its currency it is a decimal text.
 * No float takes part.
 */

/** Minor units per text: `12.50` with 2 digits is 1250n. Null when the text is more precise than that. */
export function minorUnits(decimal: string, digits: number): bigint | null {
  const { unscaled, scale } = parseDecimal(decimal);
  if (scale <= digits) return unscaled * powerOfTen(digits - scale);
  const divisor = powerOfTen(scale - digits);
  return unscaled % divisor === 0n ? unscaled / divisor : null;
}

const POWERS = Array.from({ length: 32 }, (_, n) => 10n ** BigInt(n));

function powerOfTen(n: number): bigint {
  return POWERS[n] ?? 10n ** BigInt(n);
}

export function moneyText(minor: bigint, digits: number): string {
  if (digits === 0) return minor.toString();
  const sign = minor < 0n ? '-' : '';
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0');
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

export function parseDecimal(text: string): Decimal {
  const point = text.indexOf('.');
  if (point < 0) return { unscaled: BigInt(text), scale: 0 };
  return { unscaled: BigInt(text.slice(0, point) + text.slice(point + 1)), scale: text.length - point - 1 };
}

/** numerator / denominator to the nearest integer, halves up; both must not be negative. */
export function roundHalfUp(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator);
}

const NO_MINOR_DIGITS = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF';
const TWO_MINOR_DIGITS =
  'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP ' +
  'CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES ' +
  'KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK ' +
  'NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB ' +
  'TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG';

const MINOR_DIGITS: ReadonlyMap<string, number> = new Map([
  ...NO_MINOR_DIGITS.split(' ').map(code => [code, 0] as const),
  ...TWO_MINOR_DIGITS.split(' ').map(code => [code, 2] as const),
]);

/** ISO 4217 minor digits; null for an unknown currency, and for the few with three, which the views do not hold. */
export function minorDigits(currency: string): number | null {
  return MINOR_DIGITS.get(currency) ?? null;
}
