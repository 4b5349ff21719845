import type { Header, LogRecord, RecordBlock } from '../../core/log-record.ts';
import { recordAt } from '../../core/log-record.ts';
import type { AppendRecord } from '../event-log.ts';
import { noHeaders } from './header-section.ts';
import type { RecordColumns } from './record-columns.ts';
import { newColumns, sliceColumns } from './record-columns.ts';

export interface PlacedRecord {
  readonly record: Pick<AppendRecord, 'key' | 'value' | 'timestamp' | 'headers'>;
  readonly topic: number;
  readonly partition: number;
  readonly offset: number;
  readonly appendTime: number;
}

/** Collects accepted records in columns until the group commit takes them; bytes are copied at once. */
export class BlockBuilder {
  readonly firstSeq: number;
  #n = 0;
  #columns: RecordColumns = newColumns(16);
  #bytes: Uint8Array = new Uint8Array(4096);
  #length = 0;
  #headers: (readonly Header[])[] | null = null;

  constructor(firstSeq: number) {
    this.firstSeq = firstSeq;
  }

  get n(): number {
    return this.#n;
  }

  /** bytes of keys and values so far */
  get length(): number {
    return this.#length;
  }

  add(placed: PlacedRecord): void {
    const i = this.#n;
    if (i === this.#columns.topic.length) this.#growColumns();
    const { record } = placed;
    const c = this.#columns;
    c.topic[i] = placed.topic;
    c.partition[i] = placed.partition;
    c.offset[i] = placed.offset;
    c.timestamp[i] = record.timestamp ?? placed.appendTime;
    c.appendTime[i] = placed.appendTime;
    c.keyStart[i] = record.key === null ? -1 : this.#length;
    if (record.key !== null) this.#addBytes(record.key);
    c.keyEnd[i] = record.key === null ? -1 : this.#length;
    c.valueStart[i] = record.value === null ? -1 : this.#length;
    if (record.value !== null) this.#addBytes(record.value);
    c.valueEnd[i] = record.value === null ? -1 : this.#length;
    this.#n++;
    if (record.headers !== undefined && record.headers.length > 0) this.#addHeaders(i, record.headers);
  }

  /** the records so far; `topics` names the ids of the topic column */
  block(topics: readonly string[]): RecordBlock {
    const n = this.#n;
    const headers = this.#headers === null ? null : noHeaders(n).map((none, i) => this.#headers?.[i] ?? none);
    return {
      firstSeq: this.firstSeq,
      n,
      bytes: this.#bytes.subarray(0, this.#length),
      topics,
      ...sliceColumns(this.#columns, 0, n),
      headers,
    };
  }

  record(seq: number, topics: readonly string[]): LogRecord {
    return recordAt(this.block(topics), seq - this.firstSeq);
  }

  #addBytes(bytes: Uint8Array): void {
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = end;
  }

  #addHeaders(i: number, headers: readonly Header[]): void {
    this.#headers ??= [];
    this.#headers[i] = headers.map(h => ({
      name: h.name,
      value: h.value === null ? null : new Uint8Array(h.value),
    }));
  }

  #growColumns(): void {
    const grown = newColumns(2 * this.#n);
    for (const name of Object.keys(grown) as (keyof RecordColumns)[]) grown[name].set(this.#columns[name]);
    this.#columns = grown;
  }
}
