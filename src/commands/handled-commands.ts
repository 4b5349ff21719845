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
  readonly partition: number;
}

/** Offset behind the last command of a partition that left a trace in the log; 0: none has. */
export async function firstUnhandled({ log, commands, topics, partition }: HandledIn): Promise<number> {
  let next = 0;
  for (const topic of topics) {
    const ends = log.topic(topic)?.ends ?? [];
    for (let p = 0; p < ends.length; p++) {
      for (let fromOffset = 0; ; ) {
        const page = log.readTopic(topic, { partition: p, fromOffset, limit: PAGE });
        for (const record of page) {
          const place = commandOf(record);
          if (place?.partition === partition) next = Math.max(next, place.offset + 1);
        }
        if (page.length < PAGE) break;
        fromOffset = page.at(-1)!.offset + 1;
        await new Promise(resolve => setImmediate(resolve));
      }
    }
  }
  const end = log.topic(commands)?.ends[partition] ?? 0;
  if (next <= end) return next;
  throw new MillraceError(
    'config_invalid',
    `${commands}/${partition} ends at ${end}, and commands up to ${next - 1} have results: it was made anew or cut`,
    {
      hint: 'if all that it holds is to be handled, reset the offsets of the group to the earliest ones (kafka-consumer-groups --reset-offsets)',
    },
  );
}

function commandOf({ headers }: LogRecord): CommandPlace | null {
  const header = headers.find(h => h.name === HEADER)?.value;
  if (header == null) return null;
  const [partition, offset] = Buffer.from(header).toString().split('/').map(Number);
  if (!Number.isSafeInteger(partition) || !Number.isSafeInteger(offset)) return null; // somebody else has written it
  return { partition: partition as number, offset: offset as number };
}
