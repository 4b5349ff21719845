import { MillraceError } from '../core/errors.ts';
import type { LogRecord } from '../core/log-record.ts';
import { recordBytes } from '../core/record-bytes.ts';
import type { AppendRecord, EventLog } from '../log/event-log.ts';
import type { Command } from './command.ts';
import { CommandDecisions, type Outcome } from './command-decisions.ts';
import type { PartitionWriter } from './command-partitions.ts';
import { type CommandRequest, decodeRequest } from './command-request.ts';
import { EntityStore } from './entity-store.ts';
import type { EntityType } from './entity-type.ts';
import { type HandledCommands, withCommand } from './handled-commands.ts';
import { foundPlaces, placesHeader } from './written-places.ts';

/** commands of one transaction */
const MAX_BATCH = 256;
/** ms */
const LOOK_AGAIN = 1_000;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;

export interface PartitionHandlerOptions<C extends Command, Event, State> {
  readonly partition: number;
  /** copy of the topics: commands are read from it, and entities */
  readonly log: EventLog;
  readonly entity: EntityType<C, Event, State>;
  readonly writer: PartitionWriter;
  /** tells what is handled where the writer does not know */
  readonly handled: HandledCommands;
  readonly resultsTopic: string;
  readonly keepResultsFor: number;
  readonly snapshotEvery: number;
  readonly cacheSize: number;
  readonly onError: (error: unknown) => void;
}

/**
 * The handler of one partition of a commands topic that is shared by nodes: load, decide, evolve, then one transaction with
 * events, snapshots, results and the offset of the next command. What fails is begun anew from what is committed: the
 * commands are in the topic, so nothing is lost, and what was committed is not decided again. Only when the topic and its
 * results do not belong together it ends: nothing but an operator can mend that.
 */
export class PartitionHandler<C extends Command, Event, State> {
  readonly #options: PartitionHandlerOptions<C, Event, State>;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;
  #store!: EntityStore<C, Event, State>;
  #decisions!: CommandDecisions<C, Event, State>;
  /** ids that were committed and of which not all is in the log yet */
  readonly #committed = new Set<string>();
  #woken = false;
  #wake: (() => void) | null = null;

  constructor(options: PartitionHandlerOptions<C, Event, State>) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** There may be something to do. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { partition, writer, handled, onError } = this.#options;
    const { signal } = this.#stopping;
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        let next = (await writer.begin(signal)) ?? (await handled.firstUnhandled(partition, signal));
        this.#forget();
        while (!signal.aborted) {
          const after = await this.#handleFrom(next);
          if (after === next) await this.#awake(LOOK_AGAIN);
          else pause = FIRST_PAUSE;
          next = after;
        }
      } catch (error) {
        if (signal.aborted) break;
        onError(error);
        if (error instanceof MillraceError && error.code === 'config_invalid') break;
        await this.#awake(pause);
        pause = Math.min(LONGEST_PAUSE, pause * 2);
      }
    }
    await writer.close();
  }

  async #awake(ms: number): Promise<void> {
    if (!this.#woken) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      this.#wake = null;
    }
    this.#woken = false;
  }

  /** Memory of entities holds only while nobody else writes: it is empty when the partition is taken. */
  #forget(): void {
    const { log, entity, cacheSize, resultsTopic, snapshotEvery } = this.#options;
    this.#store = new EntityStore(log, entity, cacheSize, false);
    this.#decisions = new CommandDecisions({ entity, store: this.#store, resultsTopic, snapshotEvery });
    this.#committed.clear();
  }

  /** Handles commands from an offset on. Resolves with where the next call goes on: the same when there are none. */
  async #handleFrom(next: number): Promise<number> {
    const { log, entity, partition, writer } = this.#options;
    this.#settle();
    if (this.#store.size > this.#options.cacheSize) {
      // an entity whose records are on their way must not be read from the log: memory is trimmed when all have come
      if (this.#committed.size === 0) this.#store.trim();
      else if (this.#store.size > 2 * this.#options.cacheSize) return next;
    }
    if (log.topic(entity.topics.commands) === null) return next;
    const batch = log.readTopic(entity.topics.commands, { partition, fromOffset: next, limit: MAX_BATCH });
    const last = batch.at(-1);
    if (last === undefined) return next;
    let outcomes = new Map<string, Handled>();
    let bytes: ReadonlyMap<string, number> = new Map();
    for (const record of batch) {
      const outcome = this.#handle(record, outcomes);
      if (outcome === null) continue;
      if (outcomes.size > 0 && most(withBytes(bytes, outcome.records)) > writer.maxBytes) {
        await this.#commit(outcomes, record.offset);
        outcomes = new Map();
        bytes = new Map();
      }
      outcomes.set(outcome.draft.commandId, { ...outcome, command: record });
      bytes = withBytes(bytes, outcome.records);
    }
    if (outcomes.size > 0) await this.#commit(outcomes, last.offset + 1);
    return last.offset + 1;
  }

  async #commit(outcomes: ReadonlyMap<string, Handled>, next: number): Promise<void> {
    const { writer, entity } = this.#options;
    const { snapshots } = entity.topics;
    await writer.commit({ ...transactionOf([...outcomes.values()], snapshots), next });
    for (const id of outcomes.keys()) this.#committed.add(id);
  }

  /** Null: the id has its result already. */
  #handle(record: LogRecord, batch: ReadonlyMap<string, Outcome>): Outcome | null {
    const { entity, onError } = this.#options;
    const entityId = record.key ? Buffer.from(record.key).toString('utf8') : '';
    const place = `${entity.topics.commands}-${record.partition}-${record.offset}`;
    const at = record.timestamp;
    let request: CommandRequest | null = null;
    try {
      request = decodeRequest(record.value ?? new Uint8Array(), entityId);
      const commandId = request.commandId ?? place;
      if (batch.has(commandId) || this.#known(commandId, record)) return null;
      const prepared = this.#decisions.prepare({ ...request, commandId });
      const before = this.#store.look(entityId);
      const outcome = this.#decisions.outcome(prepared, at);
      const bytes = most(withBytes(new Map(), outcome.records));
      if (bytes <= this.#options.writer.maxBytes) return outcome;
      this.#store.keep(entityId, before);
      throw tooLarge(bytes, this.#options.writer.maxBytes);
    } catch (error) {
      if (!(error instanceof MillraceError)) onError(error);
      const { commandId = place, type = '', origin = null } = request ?? {};
      if (batch.has(commandId) || this.#known(commandId, record)) return null;
      return this.#decisions.rejected(error, { entityId, commandId, type, origin, at });
    }
  }

  #known(commandId: string, command: LogRecord): boolean {
    if (this.#committed.has(commandId)) return true;
    const { log, resultsTopic, keepResultsFor } = this.#options;
    const result = log.lastByKey(resultsTopic, Buffer.from(commandId, 'utf8'));
    return result?.value != null && result.appendTime + keepResultsFor > command.appendTime;
  }

  /** Forgets ids of which all has come, the events too; results come in the order in which they were committed. */
  #settle(): void {
    const { log, resultsTopic } = this.#options;
    for (const id of this.#committed) {
      const result = log.lastByKey(resultsTopic, Buffer.from(id, 'utf8'));
      if (result === null || foundPlaces(log, result) === null) break;
      this.#committed.delete(id);
    }
  }
}

const tooLarge = (bytes: number, most: number): MillraceError =>
  new MillraceError(
    'record_too_large',
    `the command writes ${bytes} bytes into one topic, ${most} are taken`,
    {
      hint: 'split it into several commands',
    },
  );

/** By topic. */
function withBytes(
  bytes: ReadonlyMap<string, number>,
  records: readonly AppendRecord[],
): ReadonlyMap<string, number> {
  const sums = new Map(bytes);
  for (const record of records) {
    sums.set(record.topic, (sums.get(record.topic) ?? 0) + recordBytes(record));
  }
  return sums;
}

const most = (bytes: ReadonlyMap<string, number>): number => Math.max(0, ...bytes.values());

/** A command and what came of it. */
interface Handled extends Outcome {
  readonly command: LogRecord;
}

/** Each result is told where the other records of its command are. */
function transactionOf(outcomes: readonly Handled[], snapshots: string) {
  const written = outcomes.map(({ records, command }) => ({
    records: records.slice(0, -1).map(r => (r.topic === snapshots ? withCommand(r, command) : r)),
    result: withCommand(records.at(-1)!, command),
  }));
  return {
    records: written.flatMap(w => w.records),
    results: (places: Parameters<typeof placesHeader>[0]) => {
      let at = 0;
      return written.map(({ records, result }) => {
        const own = places.slice(at, at + records.length);
        at += records.length;
        return { ...result, headers: [...(result.headers ?? []), placesHeader(own)] };
      });
    },
  };
}
