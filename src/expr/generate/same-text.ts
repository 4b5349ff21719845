import type { Pool } from '../../core/batch.ts';
import { SlicePool } from '../../core/pool.ts';

/** Compares texts of pools with a constant, bytes with bytes: nothing is decoded. */
export function sameText(text: string): (pool: Pool, id: number) => boolean {
  const bytes = new TextEncoder().encode(text);
  const n = bytes.length;
  return (pool, id) => {
    let data: Uint8Array;
    let start = 0;
    let end: number;
    if (pool instanceof SlicePool && (pool.start[id] as number) < pool.data.length) {
      data = pool.data;
      start = pool.start[id] as number;
      end = pool.end[id] as number;
    } else {
      data = pool.bytes(id);
      end = data.length;
    }
    if (end - start !== n) return false;
    for (let i = 0; i < n; i++) if (data[start + i] !== bytes[i]) return false;
    return true;
  };
}
