import type { Value } from '../../core/value.ts';
import type { WindowSpec } from '../../plan/plan.ts';

/** [start, end) in ms; of a session, start and end are its first and last event times. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/**
 * The tumbling or hopping windows that hold an event time, by start. Those of a time since the epoch begin at or after the
 * epoch.
 */
export function windowsAt(time: number, spec: WindowSpec): Window[] {
  const windows: Window[] = [];
  const first = Math.floor((time - spec.size) / spec.advance) * spec.advance + spec.advance;
  for (let start = time < 0 ? first : Math.max(0, first); start <= time; start += spec.advance) {
    windows.push({ start, end: start + spec.size });
  }
  return windows;
}

/** The time at which a window ends: a session ends when nothing can join it any more. */
export function endTime(window: Window, spec: WindowSpec): number {
  return spec.type === 'session' ? window.end + spec.size + 1 : window.end;
}

/** Whether a window takes no more rows at a lane time. */
export function isClosed(window: Window, spec: WindowSpec, laneTime: number): boolean {
  return endTime(window, spec) + spec.grace <= laneTime;
}

/** WINDOWSTART and WINDOWEND of a windowed row; none without a window. */
export function windowColumns(window: Window | null): Value[] {
  return window === null ? [] : [BigInt(window.start), BigInt(window.end)];
}
