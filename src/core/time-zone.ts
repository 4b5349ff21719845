import { MS_PER_DAY } from './calendar.ts';

/**
 * A time zone by its id: UTC, GMT, Z, an offset (`+02:00`, `UTC+2`, `GMT-03:30`) or an IANA name.
 * The rules come from Intl (the runtime's own tz database); transitions are looked up once per zone and stretch of
 * time, so that a conversion per row is an array search.
 */
export interface TimeZone {
  readonly id: string;
  /** ms to add to UTC to get local time, at this instant */
  offsetAt(utc: number): number;
  /**
   * The instant of a local time. A time that the clocks skip is taken later by the length of the gap; one that they
   * show twice is the first of both.
   */
  toUtc(local: number): number;
}

/** A fixed offset in ms. */
export function fixedZone(offset: number, id: string = offsetText(offset)): TimeZone {
  return { id, offsetAt: () => offset, toUtc: local => local - offset };
}

export const UTC: TimeZone = fixedZone(0, 'UTC');

/** `+02:00`, `-03:30`, `+00:19:32`. */
function offsetText(offset: number): string {
  const total = Math.floor(Math.abs(offset) / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const seconds = total % 60;
  const text = `${offset < 0 ? '-' : '+'}${two(Math.floor(total / 3600))}:${two(Math.floor(total / 60) % 60)}`;
  return seconds === 0 ? text : `${text}:${two(seconds)}`;
}

/** Abbreviations that people write for zones; each is read as the whole zone with its summer time. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  PST: 'America/Los_Angeles',
  PDT: 'America/Los_Angeles',
  MDT: 'America/Denver',
  CST: 'America/Chicago',
  CDT: 'America/Chicago',
  EDT: 'America/New_York',
  AKST: 'America/Anchorage',
  BST: 'Europe/London',
  CEST: 'Europe/Paris',
  JST: 'Asia/Tokyo',
  IST: 'Asia/Kolkata',
  AEST: 'Australia/Sydney',
  AEDT: 'Australia/Sydney',
};

const OFFSET = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?$/;
const zones = new Map<string, TimeZone | null>();
const MAX_ZONES = 1000;

/** The zone of an id, or null when there is none. */
export function timeZone(id: string): TimeZone | null {
  const known = zones.get(id);
  if (known !== undefined) return known;
  const zone = findZone(id);
  if (zones.size >= MAX_ZONES) zones.clear();
  zones.set(id, zone);
  return zone;
}

function findZone(id: string): TimeZone | null {
  if (id === 'UTC' || id === 'GMT' || id === 'Z' || id === 'UT') return id === 'UTC' ? UTC : fixedZone(0, id);
  const offset = OFFSET.exec(id);
  if (offset) {
    const [hours, minutes, seconds] = [offset[2], offset[3] ?? '0', offset[4] ?? '0'].map(Number);
    if (hours === undefined || minutes === undefined || seconds === undefined) return null;
    const ms = (hours * 3600 + minutes * 60 + seconds) * 1000;
    if (ms > 18 * 3_600_000 || minutes > 59 || seconds > 59) return null;
    return fixedZone(offset[1] === '-' ? -ms : ms, id);
  }
  if (/^[+-]/.test(id)) return null;
  const name = ABBREVIATIONS[id] ?? id;
  try {
    return new NamedZone(id, name);
  } catch {
    return null;
  }
}

/** About 400 days, so that a stretch has few transitions. */
const STRETCH = 400 * MS_PER_DAY;
/** Closer transitions than this would be missed; the closest known ones (Ramadan in Morocco) are four weeks apart. */
const PROBE = 7 * MS_PER_DAY;
const MAX_STRETCHES = 2000;
/** Intl is asked within the years 1 to 9999; outside, the nearest of these holds. */
const FIRST = -62_135_596_800_000;
const LAST = 253_402_300_799_999;

/** Offsets within one stretch: `offsets[i]` holds from `starts[i]` on. */
interface Stretch {
  readonly starts: readonly number[];
  readonly offsets: readonly number[];
}

class NamedZone implements TimeZone {
  readonly id: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #stretches = new Map<number, Stretch>();
  #lastIndex = Number.NaN;
  #last: Stretch | undefined;

  constructor(id: string, name: string) {
    this.id = id;
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      timeZoneName: 'longOffset',
      year: 'numeric',
    });
  }

  offsetAt(utc: number): number {
    const at = Math.min(Math.max(utc, FIRST), LAST);
    const index = Math.floor(at / STRETCH);
    const stretch = index === this.#lastIndex && this.#last ? this.#last : this.#stretch(index);
    const { starts, offsets } = stretch;
    let i = starts.length - 1;
    while (i > 0 && (starts[i] ?? 0) > at) i--;
    return offsets[i] ?? 0;
  }

  toUtc(local: number): number {
    // Offsets a day before and after differ only around a transition; the earlier instant is with the larger offset.
    const before = this.offsetAt(local - MS_PER_DAY);
    const after = this.offsetAt(local + MS_PER_DAY);
    const first = local - before;
    if (before === after && this.offsetAt(first) === before) return first;
    if (this.offsetAt(first) === before) return first;
    const second = local - after;
    if (this.offsetAt(second) === after) return second;
    return first;
  }

  #stretch(index: number): Stretch {
    let stretch = this.#stretches.get(index);
    if (!stretch) {
      stretch = this.#look(Math.max(index * STRETCH, FIRST), Math.min((index + 1) * STRETCH, LAST));
      if (this.#stretches.size >= MAX_STRETCHES) this.#stretches.clear();
      this.#stretches.set(index, stretch);
    }
    this.#lastIndex = index;
    this.#last = stretch;
    return stretch;
  }

  #look(from: number, to: number): Stretch {
    const starts = [from];
    const offsets = [this.#ask(from)];
    let low = from;
    while (low < to) {
      const high = Math.min(low + PROBE, to);
      const before = offsets[offsets.length - 1] ?? 0;
      const offset = this.#ask(high);
      if (offset !== before) {
        starts.push(this.#transition(low, high, before));
        offsets.push(offset);
      }
      low = high;
    }
    return { starts, offsets };
  }

  /** The first second of (low, high] whose offset is not `before`. */
  #transition(low: number, high: number, before: number): number {
    let a = Math.floor(low / 1000);
    let b = Math.ceil(high / 1000);
    while (b - a > 1) {
      const middle = Math.floor((a + b) / 2);
      if (this.#ask(middle * 1000) === before) a = middle;
      else b = middle;
    }
    return b * 1000;
  }

  #ask(utc: number): number {
    const name = this.#format.formatToParts(utc).find(p => p.type === 'timeZoneName')?.value ?? 'GMT';
    const match = OFFSET.exec(name);
    if (!match) return 0;
    const ms = (Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0)) * 1000;
    return match[1] === '-' ? -ms : ms;
  }
}
