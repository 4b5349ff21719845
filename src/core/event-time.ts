/** Largest event time, ms: the last instant of JavaScript's calendar; sums with windows and graces stay exact below 2^53. */
const MAX_EVENT_TIME = 8.64e15;

/** Whether a number that a column holds can be an event time. */
export function isEventTime(ms: number): boolean {
  return ms >= 0 && ms <= MAX_EVENT_TIME;
}
