/**
 * Random words of a record and a call site: the same on every replay. SplitMix32 steps over a seed into which the
 * halves of the sequence number and the site are mixed by MurmurHash3's finalizer.
 */
export function seededWords(seq: number, site: number, count: number): number[] {
  let state = mix(mix(mix(0x9e3779b9 ^ seq) ^ Math.floor(seq / 2 ** 32)) ^ site);
  return Array.from({ length: count }, () => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state) >>> 0;
  });
}

/** In [0, 1), 53 bits. */
export function seededFraction(seq: number, site: number): number {
  const [high = 0, low = 0] = seededWords(seq, site, 2);
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
