import { type LogRecord, recordAt } from '../core/log-record.ts';
import type { EventLog } from '../log/event-log.ts';
import type { ViewChange } from './reaction.ts';

/** Items for a reaction in order of sequence. `next`: the position when all of them are handled. */
export interface Items<T> {
  readonly items: readonly T[];
  readonly next: number;
}

/** Where changes of views come from: the live, promoted version only. */
export interface ViewChanges {
  /** Durable changes with seq >= from, as they come, until the signal is aborted. */
  follow(view: string, from: number, signal: AbortSignal): AsyncIterable<Items<ViewChange>>;
}

const BLOCK = 4_096;

/** The durable records of a topic with seq >= from, as they come, until the signal is aborted. */
export async function* topicItems(
  log: EventLog,
  topic: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Items<LogRecord>> {
  let at = from;
  while (!signal.aborted) {
    const found = nextBlock(log, topic, at);
    if (found) {
      at = found.next;
      yield found;
      // far behind, nothing else here waits: the event loop gets its turn between two blocks
      await new Promise(resolve => setImmediate(resolve));
    } else await flushedBeyond(log, at, signal);
  }
}

function nextBlock(log: EventLog, topic: string, at: number): Items<LogRecord> | null {
  for (const block of log.read(at, undefined, BLOCK)) {
    const items: LogRecord[] = [];
    const wanted = block.topics.indexOf(topic);
    for (let i = 0; wanted >= 0 && i < block.n; i++) {
      if (block.topic[i] === wanted && block.firstSeq + i >= at) items.push(recordAt(block, i));
    }
    return { items, next: block.firstSeq + block.n };
  }
  return null;
}

function flushedBeyond(log: EventLog, at: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = log.onFlushed(end => {
      if (end > at) done();
    });
    signal.addEventListener('abort', done);
    if (signal.aborted || log.end() > at) done();
  });
}
