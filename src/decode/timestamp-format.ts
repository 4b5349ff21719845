import { MS_PER_DAY } from '../core/calendar.ts';
import { parseDateTime } from '../core/date-time-parse.ts';
import { dateTimePattern } from '../core/date-time-pattern.ts';
import { timeZone, UTC } from '../core/time-zone.ts';

/**
 * Readers of STRING timestamp columns by their declared format: ms since the epoch, or null when the text does not fit.
 * A text without a zone is local time in `zoneId`; without a date it is a time of 1970-01-01.
 */
export function timestampParsers(zoneId: string): (format: string) => (text: string) => number | null {
  const zone = timeZone(zoneId) ?? UTC;
  return format => {
    const pattern = dateTimePattern(format);
    return text => {
      const parsed = parseDateTime(pattern, text);
      if ('problem' in parsed) return null;
      const days = (parsed.days ?? 0) + parsed.extraDays;
      return (parsed.zone ?? zone).toUtc(days * MS_PER_DAY + (parsed.msOfDay ?? 0));
    };
  };
}
