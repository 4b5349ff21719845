import type { Expression, TimeUnit } from '../ast.ts';

const DAY = 86_400_000;

/** Length of the units that have a fixed one, ms. */
const MILLISECONDS: Partial<Record<TimeUnit, number>> = {
  MILLISECOND: 1,
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY,
  WEEK: 7 * DAY,
};

/** A unit by name, in the singular or plural. */
export function unitNamed(name: string): TimeUnit | null {
  const upper = name.toUpperCase();
  const singular = upper.endsWith('S') ? upper.slice(0, -1) : upper;
  return UNITS.find(u => u === singular) ?? null;
}

const UNITS: readonly TimeUnit[] = [
  'MILLISECOND',
  'SECOND',
  'MINUTE',
  'HOUR',
  'DAY',
  'WEEK',
  'MONTH',
  'QUARTER',
  'YEAR',
];

/** ms of one unit, or null where its length varies (MONTH). */
export function unitMs(unit: TimeUnit): number | null {
  return MILLISECONDS[unit] ?? null;
}

/** A fixed duration in ms, written `30 SECONDS` or `'30 seconds'`. */
export function durationOf(value: Expression): number | null {
  if (value.kind === 'duration') {
    const ms = unitMs(value.unit);
    return ms === null ? null : value.amount * ms;
  }
  if (value.kind !== 'string') return null;
  const match = /^\s*(\d{1,15})\s+([A-Za-z]+)\s*$/.exec(value.value);
  const unit = match?.[2] === undefined ? null : unitNamed(match[2]);
  const ms = unit === null ? null : unitMs(unit);
  return match && ms !== null ? Number(match[1]) * ms : null;
}

/** An INTERVAL: a whole number of one unit. */
export interface Interval {
  readonly amount: number;
  readonly unit: TimeUnit;
}

/** `INTERVAL '3' DAY`, `INTERVAL '3 days'`, `3 DAYS`; null when it is none. */
export function intervalOf(value: Expression): Interval | null {
  if (value.kind === 'duration') return { amount: value.amount, unit: value.unit };
  if (value.kind !== 'typedLiteral' || value.type !== 'interval') return null;
  const match = /^\s*([+-]?\d{1,9})(?:\s+([A-Za-z]+))?\s*$/.exec(value.value);
  const name = value.unit ?? match?.[2];
  const unit = name === undefined ? null : unitNamed(name);
  return match && unit ? { amount: Number(match[1]), unit } : null;
}
