import { formatDecimal, parseDecimal, rescale } from '../decimal.ts';

const PATTERN = /^(FM)?(S|MI)?([09,G]*)(?:[.D]([09]*))?(S|MI)?$/i;

/**
 * A number in a pattern of PostgreSQL's to_char: 9 and 0 (digits), comma or G, point or D, S, MI, FM.
 * null: the pattern has something else in it, or the text is no finite number.
 */
export function numberToChar(number: string, pattern: string): string | null {
  const match = PATTERN.exec(pattern);
  const parsed = match && parseDecimal(number);
  if (!match || !parsed) return null;
  const [, fill, front, whole = '', fraction, back] = match;
  if (front && back) return null;
  const places = fraction?.length ?? 0;
  const rounded = rescale(parsed.unscaled, parsed.scale, places);
  const negative = rounded < 0n;
  const [integral = '', decimals = ''] = formatDecimal(negative ? -rounded : rounded, places).split('.');
  const compact = fill !== undefined;
  const integer = integerPart(integral, whole, places > 0);
  let text = integer;
  if (fraction !== undefined) text += `.${fractionPart(decimals, fraction, integer.includes('#'), compact)}`;
  return signed(text, { negative, compact, sign: (front ?? back)?.toUpperCase(), atEnd: back !== undefined });
}

/** The digits under their places; blanks where a 9 has none to show. */
function integerPart(digits: string, places: string, hasFraction: boolean): string {
  const slots = places.replace(/[^09]/g, '').length;
  const shown = digits === '0' && hasFraction ? '' : digits;
  if (shown.length > slots) return places.replace(/[09]/g, '#');
  const zero = places.replace(/[^09]/g, '').indexOf('0');
  const first = Math.min(slots - shown.length, zero < 0 ? slots : zero);
  const padded = shown.padStart(slots, '0');
  let slot = 0;
  let text = '';
  for (const place of places) {
    if (place === ',' || place.toUpperCase() === 'G') text += slot > first ? ',' : ' ';
    else {
      text += slot >= first ? (padded[slot] ?? '0') : ' ';
      slot++;
    }
  }
  return text;
}

function fractionPart(decimals: string, places: string, overflow: boolean, compact: boolean): string {
  if (overflow) return places.replace(/[09]/g, '#');
  if (!compact) return decimals;
  // zeros at the end are shown only as far as a 0 stands in the pattern
  const kept = places.lastIndexOf('0') + 1;
  return decimals.slice(0, kept) + decimals.slice(kept).replace(/0+$/, '');
}

interface Sign {
  readonly negative: boolean;
  readonly compact: boolean;
  readonly sign: string | undefined;
  readonly atEnd: boolean;
}

function signed(text: string, { negative, compact, sign, atEnd }: Sign): string {
  const mark = negative ? '-' : sign === 'S' ? '+' : ' ';
  const blanks = /^ */.exec(text)?.[0] ?? '';
  const digits = text.slice(blanks.length);
  const before = atEnd ? '' : mark;
  const after = atEnd ? mark : '';
  // MI in front stays in front; otherwise the sign stands next to the digits
  const line = sign === 'MI' && !atEnd ? before + blanks + digits : blanks + before + digits + after;
  return compact ? line.replaceAll(' ', '') : line;
}
