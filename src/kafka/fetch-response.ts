import type { AbortedTransaction } from './record-batches.ts';

/** What a broker answers for one partition. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  /** 0: none */
  readonly error: number;
  readonly highWatermark: number;
  /** read_committed sees records before it */
  readonly lastStable: number;
  readonly logStart: number;
  readonly aborted: readonly AbortedTransaction[];
  /** record batches, copied out of the answer: a partition that waits does not keep the bytes of the others */
  readonly batches: Buffer;
}

export interface FetchResponse {
  readonly error: number;
  readonly partitions: readonly FetchedPartition[];
}

/** Reads an answer to Fetch in version 11. kafkajs's own reader makes texts of all numbers and filters wrongly. */
export function readFetchResponse(bytes: Buffer): FetchResponse {
  const from = new Cursor(bytes);
  from.int32(); // throttle time
  const error = from.int16();
  from.int32(); // session
  const partitions: FetchedPartition[] = [];
  for (let topics = from.int32(); topics > 0; topics--) {
    const topic = from.string();
    for (let n = from.int32(); n > 0; n--) {
      const partition = from.int32();
      const partitionError = from.int16();
      const highWatermark = from.int64();
      const lastStable = from.int64();
      const logStart = from.int64();
      const aborted: AbortedTransaction[] = [];
      for (let a = from.int32(); a > 0; a--) {
        aborted.push({ producerId: from.bigint64(), firstOffset: from.int64() });
      }
      from.int32(); // preferred replica
      const batches = Buffer.from(from.bytes());
      partitions.push({
        topic,
        partition,
        error: partitionError,
        highWatermark,
        lastStable,
        logStart,
        aborted,
        batches,
      });
    }
  }
  return { error, partitions };
}

class Cursor {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  bigint64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  int64(): number {
    return Number(this.bigint64());
  }

  string(): string {
    const length = this.int16();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  bytes(): Buffer {
    const length = Math.max(0, this.int32());
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
