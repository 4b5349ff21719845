import { MillraceError } from '../core/errors.ts';
import type { Header, LogRecord } from '../core/log-record.ts';
import type { AppendRecord, EventLog } from '../log/event-log.ts';

/**
 * Results and snapshots name the place of their command. Commands of a partition are handled in order, so the last place
 * tells which are handled when nothing else does: a cluster forgets the offsets of a group that was away for long, or that
 * has another name now. Results are deleted after a while; of snapshots the last one of each entity stays.
 */
const HEADER = 'millrace-command';
/** records of one turn of the event loop */
const PAGE = 2_000;

export interface CommandPlace {
  readonly partition: number;
  readonly offset: number;
}

export function withCommand(record: AppendRecord, { partition, offset }: CommandPlace): AppendRecord {
  const header: Header = { name: HEADER, value: Buffer.from(`${partition}/${offset}`) };
  return { ...record, headers: [...(record.headers ?? []), header] };
}

export interface HandledIn {
  readonly log: EventLog;
  readonly commands: string;
  /** topics whose records name their command */
  readonly topics: readonly string[];
}

/** What left a trace in the log, of all partitions of a commands topic: each record is read once, whoever asks. */
export class HandledCommands {
  readonly #in: HandledIn;
  /** offset of the next record to read, by topic and partition */
  readonly #read = new Map<string, number>();
  /** offset behind the last command that left a trace, by partition */
  readonly #next = new Map<number, number>();

  constructor(handledIn: HandledIn) {
    this.#in = handledIn;
  }

  /** Offset behind the last command of a partition that has left a trace up to now; 0: none has. */
  async firstUnhandled(partition: number, signal: AbortSignal): Promise<number> {
    const { log, commands, topics } = this.#in;
    const end = (): number => log.topic(commands)?.ends[partition] ?? 0;
    if (end() === 0) return 0;
    for (const topic of topics) {
      for (const [p, to] of (log.topic(topic)?.ends ?? []).entries()) {
        while (this.#readPage(topic, p, to)) {
          await new Promise(resolve => setImmediate(resolve));
          signal.throwIfAborted();
        }
      }
    }
    const next = this.#next.get(partition) ?? 0;
    if (next <= end()) return next;
    throw new MillraceError(
      'config_invalid',
      `${commands}/${partition} ends at ${end()}, and commands up to ${next - 1} have results: it was made anew or cut`,
      {
        hint: 'stop the nodes; if all that it holds is to be handled, reset the offsets of the group to the earliest ones (kafka-consumer-groups --reset-offsets); start them again',
      },
    );
  }

  /** False: there is no more below `to`. Several may read in turns, each goes on where the last one was. */
  #readPage(topic: string, partition: number, to: number): boolean {
    const id = `${topic}/${partition}`;
    const fromOffset = this.#read.get(id) ?? 0;
    if (fromOffset >= to) return false;
    const page = this.#in.log.readTopic(topic, { partition, fromOffset, limit: PAGE });
    for (const record of page) {
      const place = commandOf(record);
      if (place === null) continue;
      this.#next.set(place.partition, Math.max(this.#next.get(place.partition) ?? 0, place.offset + 1));
    }
    const last = page.at(-1);
    if (last === undefined) return false;
    this.#read.set(id, last.offset + 1);
    return page.length === PAGE;
  }
}

function commandOf({ headers }: LogRecord): CommandPlace | null {
  const header = headers.find(h => h.name === HEADER)?.value;
  if (header == null) return null;
  const [partition, offset] = Buffer.from(header).toString().split('/').map(Number);
  if (!Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) return null; // somebody else has written it
  return { partition: partition as number, offset: offset as number };
}
