import { civilFromDays, dayOfWeek, dayOfYear, isoWeek, MS_PER_DAY } from '../../core/calendar.ts';
import { MONTHS, WEEKDAYS } from '../../core/date-time-format.ts';

/** A number of at least this many digits; a name is padded to this many characters unless FM stands before it. */
type Part =
  | { readonly value: number; readonly width: number }
  | { readonly name: string; readonly width: number };

const TOKEN =
  /(FM)?(HH24|HH12|HH|MI|SSSSS|SSSS|SS|MS|US|FF[1-6]|Y,YYY|YYYY|YYY|YY|Y|IYYY|IYY|IY|MONTH|Month|month|MON|Mon|mon|MM|DAY|Day|day|DY|Dy|dy|IDDD|DDD|DD|ID|D|IW|WW|W|CC|Q|J|AM|PM|am|pm|A\.M\.|P\.M\.|a\.m\.|p\.m\.|TZ|tz)|"([^"]*)"|\\(.)|([\s\S])/g;

/** A moment in UTC in a pattern of PostgreSQL's to_char. Unknown letters stand for themselves. */
export function momentToChar(at: number, pattern: string): string {
  const days = Math.floor(at / MS_PER_DAY);
  const ms = at - days * MS_PER_DAY;
  let text = '';
  for (const [, fill, token, quoted, escaped, other] of pattern.matchAll(TOKEN)) {
    if (token === undefined) text += quoted ?? escaped ?? other ?? '';
    else text += shown(partOf(token, days, ms), fill !== undefined);
  }
  return text;
}

function shown(part: Part, compact: boolean): string {
  if ('name' in part) return compact ? part.name : part.name.padEnd(part.width);
  const digits = String(Math.abs(part.value));
  return (part.value < 0 ? '-' : '') + (compact ? digits : digits.padStart(part.width, '0'));
}

function partOf(token: string, days: number, ms: number): Part {
  return named(token, days, ms) ?? timePart(token, ms) ?? datePart(token, days);
}

function named(token: string, days: number, ms: number): Part | null {
  const month = MONTHS[civilFromDays(days).month - 1] ?? '';
  const weekday = WEEKDAYS[dayOfWeek(days) - 1] ?? '';
  switch (token.toUpperCase()) {
    case 'MONTH':
      return { name: cased(month, token), width: 9 };
    case 'MON':
      return { name: cased(month.slice(0, 3), token), width: 3 };
    case 'DAY':
      return { name: cased(weekday, token), width: 9 };
    case 'DY':
      return { name: cased(weekday.slice(0, 3), token), width: 3 };
    case 'AM':
    case 'PM':
      return { name: cased(ms < MS_PER_DAY / 2 ? 'AM' : 'PM', token), width: 2 };
    case 'A.M.':
    case 'P.M.':
      return { name: cased(ms < MS_PER_DAY / 2 ? 'A.M.' : 'P.M.', token), width: 4 };
    case 'TZ':
      return { name: cased('UTC', token), width: 3 };
    default:
      return null;
  }
}

/** In the case in which the pattern writes the token. */
function cased(name: string, token: string): string {
  if (token === token.toUpperCase()) return name.toUpperCase();
  return token === token.toLowerCase() ? name.toLowerCase() : name;
}

function timePart(token: string, ms: number): Part | null {
  const hour = Math.floor(ms / 3_600_000);
  switch (token) {
    case 'HH24':
      return { value: hour, width: 2 };
    case 'HH12':
    case 'HH':
      return { value: hour % 12 || 12, width: 2 };
    case 'MI':
      return { value: Math.floor(ms / 60_000) % 60, width: 2 };
    case 'SS':
      return { value: Math.floor(ms / 1000) % 60, width: 2 };
    case 'SSSS':
    case 'SSSSS':
      return { value: Math.floor(ms / 1000), width: 1 };
    case 'MS':
      return { value: ms % 1000, width: 3 };
    case 'US':
      return { value: (ms % 1000) * 1000, width: 6 };
    default: {
      const digits = /^FF([1-6])$/.exec(token)?.[1];
      if (!digits) return null;
      const fraction = String(ms % 1000)
        .padStart(3, '0')
        .padEnd(6, '0');
      return { name: fraction.slice(0, Number(digits)), width: 0 };
    }
  }
}

function datePart(token: string, days: number): Part {
  const { year, month, day } = civilFromDays(days);
  const iso = isoWeek(days);
  switch (token) {
    case 'Y,YYY':
      return { name: `${Math.floor(year / 1000)},${String(year % 1000).padStart(3, '0')}`, width: 0 };
    case 'YYYY':
    case 'YYY':
    case 'YY':
    case 'Y':
      return lastDigits(year, token.length);
    case 'IYYY':
    case 'IYY':
    case 'IY':
      return lastDigits(iso.year, token.length);
    case 'MM':
      return { value: month, width: 2 };
    case 'DD':
      return { value: day, width: 2 };
    case 'DDD':
      return { value: dayOfYear(days), width: 3 };
    case 'IDDD':
      return { value: (iso.week - 1) * 7 + dayOfWeek(days), width: 3 };
    case 'D':
      return { value: (dayOfWeek(days) % 7) + 1, width: 1 };
    case 'ID':
      return { value: dayOfWeek(days), width: 1 };
    case 'W':
      return { value: Math.ceil(day / 7), width: 1 };
    case 'WW':
      return { value: Math.ceil(dayOfYear(days) / 7), width: 2 };
    case 'IW':
      return { value: iso.week, width: 2 };
    case 'CC':
      return { value: Math.ceil(year / 100), width: 2 };
    case 'Q':
      return { value: Math.ceil(month / 3), width: 1 };
    default:
      return { value: days + 2_440_588, width: 1 };
  }
}

function lastDigits(year: number, count: number): Part {
  return { value: count === 4 ? year : Math.abs(year) % 10 ** count, width: count };
}
