/** Increasing positions in (0, end), by seed: where a run is cut. */
export function randomCuts(seed: number, end: number): number[] {
  let state = seed;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Array.from({ length: Math.max(0, end - 1) }, (_, i) => i + 1).filter(() => next() < 0.4);
}
