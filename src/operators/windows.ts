import type { WindowSpec } from '../plan/plan.ts';

/**
 * The start of the first (tumbling: only) window that holds an event time. A window of a time since the epoch begins at or
 * after the epoch.
 */
export function firstWindowStart(time: number, spec: WindowSpec): number {
  const start = Math.floor((time - spec.size) / spec.advance) * spec.advance + spec.advance;
  return time < 0 ? start : Math.max(0, start);
}

/** Whether a window takes no more rows at a lane time. */
export function isClosed(start: number, spec: WindowSpec, laneTime: number): boolean {
  return start + spec.size + spec.grace <= laneTime;
}
