import type { WindowSpec } from '../plan/plan.ts';

/** The start of the first (tumbling: only) window that holds an event time. Windows begin at or after the epoch. */
export function firstWindowStart(time: number, spec: WindowSpec): number {
  return Math.max(0, Math.floor((time - spec.size) / spec.advance) * spec.advance + spec.advance);
}

/** Whether a window takes no more rows at a lane time. */
export function isClosed(start: number, spec: WindowSpec, laneTime: number): boolean {
  return start + spec.size + spec.grace <= laneTime;
}
