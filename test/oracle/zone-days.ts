/** The calendar of a zone by the runtime's own tables (Intl), not by the code that is tested. */
export interface ZoneClock {
  /** `2026-03-29` */
  readonly today: string;
  /** the instant at which today began, ms */
  readonly midnight: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function dateIn(zone: string, ms: number): string {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    formats.set(zone, format);
  }
  return format.format(ms);
}

/** The first instant of a date, found by halving. */
export function startOfDay(zone: string, date: string): number {
  let before = Date.parse(`${date}T00:00Z`) - 86_400_000;
  let within = Date.parse(`${date}T00:00Z`) + 86_400_000;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (dateIn(zone, middle) >= date) within = middle;
    else before = middle;
  }
  return within;
}

export function clockAt(zone: string, ms: number): ZoneClock {
  const today = dateIn(zone, ms);
  return { today, midnight: startOfDay(zone, today) };
}
