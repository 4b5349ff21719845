import { createHash } from 'node:crypto';

/**
 * The keys of the log's LMDB environment. The first byte names the family; numbers are big endian, so that keys of one
 * family order by them.
 *
 * | key | value |
 * |---|---|
 * | `i` | id of the log and format version (JSON) |
 * | `m` | f64 x 3: end, last append time, number of topics (ticks included) |
 * | `c` topic | the topic: name, settings, ends (JSON) |
 * | `p` handler | f64: position |
 * | `t` sequence | a block of the tail |
 * | `b` sequence | f64 x 9: a sealed block: segment, offset, length, n, event and append times, records kept |
 * | `s` segment | f64: registered length |
 * | `n` | f64: highest number that a segment ever had |
 * | `g` | f64 x 2: how often upkeep has changed what is kept, first sequence that is kept |
 * | `f` topic | the topic's floors: what upkeep has taken from it (JSON) |
 * | `w` topic, kind | upkeep that is begun and not done (JSON) |
 * | `a` number | an act of upkeep: who, when, what (JSON) |
 * | `k` topic, key, sequence | nothing: the index by key |
 * | `o` topic, partition, offset | f64: first sequence of the block where this run of offsets starts |
 */
const LONGEST_RAW_KEY = 512;
const HASHED = 0xffff;

export const ID_KEY = Buffer.from('i');
export const HEAD_KEY = Buffer.from('m');
export const TOPICS = Buffer.from('c');
export const POSITIONS = Buffer.from('p');
export const TAIL = Buffer.from('t');
export const BLOCKS = Buffer.from('b');
export const SEGMENTS = Buffer.from('s');
export const SEGMENT_COUNTER = Buffer.from('n');
export const UPKEEP_STATE = Buffer.from('g');
export const FLOORS = Buffer.from('f');
export const UPKEEP_WORK = Buffer.from('w');
export const ACTS = Buffer.from('a');

export function topicKey(topic: number): Buffer {
  return numberKey(TOPICS, topic);
}

export function positionKey(handler: string): Buffer {
  return Buffer.concat([POSITIONS, Buffer.from(handler)]);
}

export function tailKey(seq: number): Buffer {
  return sequenceKey(TAIL, seq);
}

export function blockKey(seq: number): Buffer {
  return sequenceKey(BLOCKS, seq);
}

export function segmentKey(segment: number): Buffer {
  return numberKey(SEGMENTS, segment);
}

export function floorKey(topic: number): Buffer {
  return numberKey(FLOORS, topic);
}

export function workKey(topic: number, kind: number): Buffer {
  return Buffer.concat([numberKey(UPKEEP_WORK, topic), Uint8Array.of(kind)]);
}

export function actKey(n: number): Buffer {
  return sequenceKey(ACTS, n);
}

/** The part of a `k` key before the sequence. A long key stands by its SHA-256. */
export function recordKeyPrefix(topic: number, key: Uint8Array): Buffer {
  const hashed = key.length > LONGEST_RAW_KEY;
  const stored = hashed ? createHash('sha256').update(key).digest() : key;
  const out = Buffer.allocUnsafe(7 + stored.length);
  out[0] = 0x6b;
  out.writeUInt32BE(topic, 1);
  out.writeUInt16BE(hashed ? HASHED : key.length, 5);
  out.set(stored, 7);
  return out;
}

export function recordKey(topic: number, key: Uint8Array, seq: number): Buffer {
  return withSequence(recordKeyPrefix(topic, key), seq);
}

export function offsetKey(topic: number, partition: number, offset: number): Buffer {
  const prefix = Buffer.allocUnsafe(9);
  prefix[0] = 0x6f;
  prefix.writeUInt32BE(topic, 1);
  prefix.writeUInt32BE(partition, 5);
  return withSequence(prefix, offset);
}

export function withSequence(prefix: Uint8Array, seq: number): Buffer {
  const out = Buffer.allocUnsafe(prefix.length + 8);
  out.set(prefix);
  out.writeUInt32BE(Math.floor(seq / 0x1_0000_0000), prefix.length);
  out.writeUInt32BE(seq % 0x1_0000_0000, prefix.length + 4);
  return out;
}

/** The number in the last 8 bytes of a key. */
export function sequenceOf(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset + key.length - 8, 8);
  return view.getUint32(0) * 0x1_0000_0000 + view.getUint32(4);
}

/** The first key after all keys with this prefix. */
export function afterPrefix(prefix: Uint8Array): Buffer {
  const out = Buffer.from(prefix);
  for (let i = out.length - 1; i >= 0; i--) {
    if (out[i]! < 0xff) {
      out[i]!++;
      return out.subarray(0, i + 1);
    }
  }
  return Buffer.from([0xff]);
}

function sequenceKey(family: Buffer, seq: number): Buffer {
  return withSequence(family, seq);
}

function numberKey(family: Buffer, n: number): Buffer {
  const out = Buffer.allocUnsafe(5);
  out[0] = family[0]!;
  out.writeUInt32BE(n, 1);
  return out;
}

export function numbers(...values: number[]): Buffer {
  return Buffer.from(new Float64Array(values).buffer);
}

export function readNumbers(value: Uint8Array): Float64Array {
  return new Float64Array(new Uint8Array(value).buffer);
}
