import { describe, expect, test } from 'vitest';
import { murmur2, partitionOf } from '../../src/log/murmur2.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('murmur2', () => {
  // values published with Kafka's own partitioner test
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s is what Kafka computes', (key, hash) => {
    expect(murmur2(bytes(key))).toBe(hash);
  });

  test('a negative hash still names a partition', () => {
    expect(partitionOf(bytes('21'), 10)).toBe((-973932308 & 0x7fffffff) % 10);
  });

  test('a null key goes to partition 0', () => {
    expect(partitionOf(null, 7)).toBe(0);
  });
});
