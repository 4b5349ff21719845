import { createHash } from 'node:crypto';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import { type Header, WRITTEN_BY } from '../core/log-record.ts';
import type { SinkOutput } from '../dataflow/live/epoch-output.ts';
import type { SinkRecord } from '../dataflow/live/sink-writer.ts';
import type { AppendRecord, EventLog } from '../log/event-log.ts';
import { DEFAULT_LOG_LIMITS } from '../log/log-limits.ts';
import type { SinkSpec, ViewPlan } from '../plan/plan.ts';

/** bounds of one append, well inside those of the log */
const MAX_RECORDS = 20_000;
const MAX_BYTES = 8 * 1024 * 1024;
/** ms between two looks at a disk that is full */
const ROOM_CHECK = 500;
/** characters that the log takes for the name of a handler */
const LONGEST_HANDLER = 200;

export interface SinkTopicsOptions {
  readonly log: EventLog;
  /** called when {@link SinkTopics.writtenUpTo} may have changed */
  readonly onWritten: () => void;
  /** the log refused records of live views: nothing is written until {@link SinkTopics.resume} */
  readonly onFailure: (error: unknown) => void;
  readonly report: (text: string) => void;
}

/** Records to write: all that the source records below `position` cause and were not handed over before. */
export interface SinkWrite {
  readonly outputs: readonly SinkOutput[];
  readonly position: number;
  readonly planOf: (view: string) => ViewPlan | null;
}

/**
 * Derived topics: each record once, by the sequence that caused it. The position of a view's topic stands in the log and
 * moves in the same append as its records, so whatever comes again after a crash, a restart or a replay is known.
 */
export class SinkTopics {
  readonly #options: SinkTopicsOptions;
  /** first sequence of each append that is on its way to the disk */
  readonly #onTheWay = new Set<{ readonly first: number }>();
  /** records that the log refused: they come again once their worker was started anew, up to `until` */
  #lost: { readonly first: number; until: number } | null = null;
  #failed = false;

  constructor(options: SinkTopicsOptions) {
    this.#options = options;
  }

  /** Up to where all records of live views are durable, when everything up to `position` was handed over. */
  writtenUpTo(position: number): number {
    let written = Math.min(position, this.#lost?.first ?? position);
    for (const { first } of this.#onTheWay) written = Math.min(written, first);
    return written;
  }

  /** Writes what live views gave. */
  live(write: SinkWrite): void {
    if (this.#failed) return;
    for (const { first, durable } of this.#append(write)) void this.#follow(first, durable);
    if (this.#lost !== null && write.position >= this.#lost.until) {
      this.#lost = null;
      this.#options.onWritten();
    }
  }

  /** Writes the history of a view that is being built; resolves when it is durable. A full disk is waited for. */
  async fill(write: SinkWrite): Promise<void> {
    for (;;) {
      try {
        await Promise.all(this.#append(write).map(a => a.durable));
        return;
      } catch (error) {
        if (!(error instanceof MillraceError) || error.code !== 'disk_full') throw error;
        await new Promise(resolve => setTimeout(resolve, ROOM_CHECK).unref());
      }
    }
  }

  /** A topic that is complete up to here never gets older records again, whatever is rebuilt later. */
  complete(view: string, sink: SinkSpec, position: number): void {
    const handler = handlerOf(view, sink);
    if (this.#failed || (this.#options.log.position(handler) ?? 0) >= position) return;
    faultPoint('sink.complete');
    const { durable } = this.#options.log.append({ records: [], positions: [{ handler, seq: position }] });
    void this.#follow(position, durable);
  }

  /** After a failure: what was lost is about to be handed over again, up to `position` and on. */
  resume(position: number): void {
    this.#failed = false;
    if (this.#lost !== null) this.#lost.until = position;
  }

  #append({ outputs, position, planOf }: SinkWrite): { first: number; durable: Promise<void> }[] {
    const byView = new Map<string, SinkRecord[]>();
    for (const { view, records } of outputs) {
      const known = byView.get(view);
      if (known === undefined) byView.set(view, [...records]);
      else for (const record of records) known.push(record);
    }
    const appends: { first: number; durable: Promise<void> }[] = [];
    for (const [view, records] of byView) {
      const plan = planOf(view);
      const sink = plan?.sink ?? null;
      if (plan === null || sink === null) continue;
      const headers = headersOf(plan);
      const handler = handlerOf(view, sink);
      const from = this.#options.log.position(handler) ?? 0;
      const fresh = records.filter(r => r.seq >= from);
      for (const chunk of chunks(fresh, position)) {
        faultPoint('sink.append');
        const { durable } = this.#options.log.append({
          records: chunk.records.flatMap(r => this.#record({ view, sink, headers }, r)),
          positions: [{ handler, seq: chunk.position }],
        });
        appends.push({ first: chunk.records[0]?.seq ?? position, durable });
      }
    }
    return appends;
  }

  async #follow(first: number, durable: Promise<void>): Promise<void> {
    const entry = { first };
    this.#onTheWay.add(entry);
    try {
      await durable;
    } catch (error) {
      this.#lost = { first: Math.min(first, this.#lost?.first ?? first), until: Number.POSITIVE_INFINITY };
      if (!this.#failed) {
        this.#failed = true;
        this.#options.onFailure(error);
      }
    } finally {
      this.#onTheWay.delete(entry);
      this.#options.onWritten();
    }
  }

  #record({ view, sink, headers }: Target, record: SinkRecord): AppendRecord[] {
    const bytes = sizeOf(record) + headerBytes(headers);
    if (bytes <= DEFAULT_LOG_LIMITS.recordBytes) {
      const { key, value, timestamp } = record;
      return [{ topic: sink.topic, key, value, timestamp, headers }];
    }
    this.#options.report(
      `a record of ${bytes} bytes is too large for topic ${sink.topic} of view ${view}: left out (sequence ${record.seq})`,
    );
    return [];
  }
}

interface Target {
  readonly view: string;
  readonly sink: SinkSpec;
  readonly headers: readonly Header[] | undefined;
}

/** Other records may enter a stream by its topic: those of its queries are told from them. */
function headersOf({ name, statement }: ViewPlan): readonly Header[] | undefined {
  if (statement !== 'stream') return undefined;
  return [{ name: WRITTEN_BY, value: new TextEncoder().encode(name) }];
}

/** A topic is followed by itself, so that a view that gets another one fills that from history. */
function handlerOf(view: string, sink: SinkSpec): string {
  const name = `sink/${view}/${sink.topic}`;
  if (name.length <= LONGEST_HANDLER) return name;
  return `sink/${createHash('sha256').update(name).digest('hex')}`;
}

function sizeOf(record: SinkRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0);
}

function headerBytes(headers: readonly Header[] | undefined): number {
  return headers?.reduce((sum, h) => sum + h.name.length + (h.value?.length ?? 0), 0) ?? 0;
}

/** Parts of bounded size, cut between sequences; the last one moves on to `position`. */
function* chunks(
  records: readonly SinkRecord[],
  position: number,
): Generator<{ readonly records: readonly SinkRecord[]; readonly position: number }> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < records.length; i++) {
    const record = records[i] as SinkRecord;
    const last = records[i - 1];
    const full = i - from >= MAX_RECORDS || bytes > MAX_BYTES;
    if (full && last !== undefined && last.seq !== record.seq) {
      yield { records: records.slice(from, i), position: last.seq + 1 };
      from = i;
      bytes = 0;
    }
    bytes += sizeOf(record);
  }
  if (from < records.length) yield { records: records.slice(from), position };
}
