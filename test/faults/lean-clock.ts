import type { Clock } from '../../src/core/clock.ts';

/** An hour passes in a second, and now and then the clock is set back by ten minutes: what the log makes of it is monotone. */
export function skewedClock(start: number, seed: number): Clock {
  const began = performance.now();
  let calls = seed;
  return {
    now() {
      const back = ++calls % 97 === 0 ? 600_000 : 0;
      return Math.floor(start + (performance.now() - began) * 3_600 - back);
    },
  };
}
