import type { Bits } from './batch.ts';

export function makeBits(n: number): Bits {
  return new Uint32Array((n + 31) >>> 5);
}

export function bitAt(bits: Bits | null, i: number): boolean {
  return bits !== null && (((bits[i >>> 5] ?? 0) >>> (i & 31)) & 1) === 1;
}

export function setBit(bits: Bits, i: number): void {
  bits[i >>> 5] = (bits[i >>> 5] ?? 0) | (1 << (i & 31));
}

export function clearBit(bits: Bits, i: number): void {
  bits[i >>> 5] = (bits[i >>> 5] ?? 0) & ~(1 << (i & 31));
}
