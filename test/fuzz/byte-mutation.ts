import type { Random } from '../oracle/generator/random.ts';

/** Bytes that mean something to a reader of JSON, CSV, UTF-8 or SQL. */
const TELLING = [
  ...new TextEncoder().encode('{}[]",:;\\/ \t\r\n-+.eE0123456789tfnua\'`$*()<>=|%_'),
  0x00,
  0x1f,
  0x7f,
  0x80,
  0xbf,
  0xc0,
  0xc3,
  0xe2,
  0xed,
  0xef,
  0xf0,
  0xf4,
  0xff,
];

/** A few small damages: a byte changed, put in or taken out, a piece doubled, moved, cut off. */
export function mutated(random: Random, input: Uint8Array): Uint8Array {
  let bytes = [...input];
  for (let n = random.of([1, 1, 1, 2, 3, 8]); n > 0; n--) bytes = once(random, bytes);
  return Uint8Array.from(bytes);
}

function once(random: Random, bytes: number[]): number[] {
  const at = random.int(0, bytes.length);
  const byte = random.chance(0.7) ? random.of(TELLING) : random.int(0, 255);
  const length = random.int(1, random.of([1, 2, 4, 30]));
  switch (random.int(0, 6)) {
    case 0:
      return bytes.toSpliced(at, 1, byte);
    case 1:
      return bytes.toSpliced(at, 0, byte);
    case 2:
      return bytes.toSpliced(at, length);
    case 3:
      return bytes.toSpliced(random.int(0, bytes.length), 0, ...bytes.slice(at, at + length));
    case 4:
      return bytes.slice(0, at);
    case 5:
      return bytes.toSpliced(at, 1, (bytes[at] ?? 0) ^ (1 << random.int(0, 7)));
    default:
      return bytes.toSpliced(at, 0, ...Array.from({ length }, () => byte));
  }
}
