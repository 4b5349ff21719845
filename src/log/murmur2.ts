/**
 * Kafka's partitioner: MurmurHash2, 32 bits, seed 0x9747b28c, as in Kafka's `Utils.murmur2`.
 * Keys go to partitions by this rule everywhere, so that a topic may move to Kafka and back.
 */
export function murmur2(key: Uint8Array): number {
  const m = 0x5bd1e995;
  const length = key.length;
  let h = 0x9747b28c ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = (key[i]! & 0xff) | (key[i + 1]! << 8) | (key[i + 2]! << 16) | (key[i + 3]! << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    k = Math.imul(k, m);
    h = Math.imul(h, m) ^ k;
  }
  const rest = length - whole;
  if (rest > 2) h ^= key[whole + 2]! << 16;
  if (rest > 1) h ^= key[whole + 1]! << 8;
  if (rest > 0) h = Math.imul(h ^ key[whole]!, m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  h ^= h >>> 15;
  return h | 0;
}

/** The partition of a key among `partitions`; a null key goes to partition 0. */
export function partitionOf(key: Uint8Array | null, partitions: number): number {
  return key === null || partitions === 1 ? 0 : (murmur2(key) & 0x7fffffff) % partitions;
}
