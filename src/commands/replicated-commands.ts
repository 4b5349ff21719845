import { randomUUID } from 'node:crypto';
import { MillraceError } from '../core/errors.ts';
import { type LogRecord, recordAt } from '../core/log-record.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Command } from './command.ts';
import { CommandDecisions } from './command-decisions.ts';
import type { CommandPartitions } from './command-partitions.ts';
import { type CommandRequest, encodeRequest } from './command-request.ts';
import { type CommandResult, decodeResult } from './command-result.ts';
import type { BusEvent, Commands } from './commands.ts';
import { EntityStore } from './entity-store.ts';
import type { EntityType } from './entity-type.ts';
import { EventBus } from './event-bus.ts';
import { HandledCommands } from './handled-commands.ts';
import { PartitionHandler } from './partition-handler.ts';
import { type FoundPlaces, foundPlaces } from './written-places.ts';

export interface ReplicatedCommandsOptions<C extends Command, Event, State> {
  /** a copy of the entity's topics */
  readonly log: EventLog;
  readonly entity: EntityType<C, Event, State>;
  readonly partitions: CommandPartitions;
  /** default `command-results` */
  readonly resultsTopic?: string | undefined;
  /** ms for which a command id is remembered; default 7 days */
  readonly keepResultsFor?: number | undefined;
  /** a snapshot after so many versions; default 1 */
  readonly snapshotEvery?: number | undefined;
  /** entities kept in memory per partition; default 20,000 */
  readonly cacheSize?: number | undefined;
  /** commands sent and not yet answered, beyond which `overloaded` is thrown; default 20,000 */
  readonly maxPending?: number | undefined;
  /** ms after which `submit` stops waiting with `result_pending`; default 30 s */
  readonly answerWithin?: number | undefined;
  readonly newCommandId?: (() => string) | undefined;
  readonly onError: (error: unknown) => void;
}

interface Waiter {
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Sent {
  readonly commandId: string;
  readonly sent: Promise<void>;
  readonly result: Promise<CommandResult>;
  /** nobody waits for the result any longer */
  readonly giveUp: () => void;
}

const DAY = 86_400_000;
const ANSWER_WITHIN = 30_000;
const MAX_PENDING = 20_000;
const MAX_EARLY = 20_000;

/**
 * The write side where the topics live elsewhere and the log is a copy of them. Commands go to a shared topic, whichever
 * node has their partition handles them, and the answer is what comes back into this node's log: so an answer has a
 * position here, and a view at that position has seen all that the command did.
 */
export class ReplicatedCommands<C extends Command, Event, State> implements Commands {
  readonly types: Commands['types'];
  readonly #options: ReplicatedCommandsOptions<C, Event, State>;
  readonly #log: EventLog;
  readonly #resultsTopic: string;
  readonly #decisions: CommandDecisions<C, Event, State>;
  readonly #handled: HandledCommands;
  readonly #handlers = new Map<number, PartitionHandler<C, Event, State>>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #waiting = new Map<string, Waiter[]>();
  /** ids of commands that nobody waits for any longer and that have no result yet, the last ones */
  readonly #late = new Set<string>();
  /** results whose other records are not all here, the last ones: of what others write nothing more may ever come */
  #early: LogRecord[] = [];
  #scanned: number;
  readonly #resultBus: EventBus<CommandResult>;
  readonly #eventBus: EventBus<BusEvent>;
  readonly #stopListening: () => void;
  #closed = false;

  /** Creates the entity's topics in the log where they are missing, with the indexes that handlers need. */
  constructor(options: ReplicatedCommandsOptions<C, Event, State>) {
    const { log, entity } = options;
    this.#options = options;
    this.#log = log;
    this.#resultsTopic = options.resultsTopic ?? 'command-results';
    for (const { name, keyIndex } of entityTopics(entity, this.#resultsTopic)) {
      const topic = log.topic(name) ?? log.createTopic({ name, partitions: 1, keyIndex });
      if (keyIndex && !topic.keyIndex) {
        const message = `topic "${name}" has no key index, which ${entity.name} needs`;
        throw new MillraceError('config_invalid', message, {
          hint: 'declare it with `keyIndex: true` before it is created',
        });
      }
    }
    this.types = entity.dispatcher.types.map(type => ({
      type,
      description: entity.dispatcher.find(type)?.description ?? '',
    }));
    this.#decisions = new CommandDecisions({
      entity,
      store: new EntityStore(log, entity, 0, false),
      resultsTopic: this.#resultsTopic,
      snapshotEvery: 1,
    });
    const { commands, snapshots } = entity.topics;
    this.#handled = new HandledCommands({ log, commands, topics: [this.#resultsTopic, snapshots] });
    this.#resultBus = new EventBus(options.onError);
    this.#eventBus = new EventBus(options.onError);
    this.#scanned = log.end();
    this.#stopListening = log.onFlushed(end => this.#flushed(end));
    options.partitions.start(partitions => this.#assign(partitions));
  }

  async submit(request: CommandRequest): Promise<CommandResult> {
    const command = this.#send(request);
    command.result.catch(() => {}); // not waited for when sending fails
    await command.sent;
    return this.#within(this.#options.answerWithin ?? ANSWER_WITHIN, command);
  }

  /** Nobody may have the partition for a while, as when its node has died: the command stays and is handled later. */
  async #within(ms: number, { commandId, result, giveUp }: Sent): Promise<CommandResult> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        giveUp();
        const hint = `ask for the result later: GET /commands/${commandId}`;
        reject(new MillraceError('result_pending', 'the command is kept, and not handled yet', { hint }));
      }, ms);
    });
    try {
      return await Promise.race([result, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async enqueue(request: CommandRequest): Promise<{ readonly commandId: string }> {
    const { commandId, sent, result, giveUp } = this.#send(request);
    const timer = setTimeout(giveUp, this.#options.answerWithin ?? ANSWER_WITHIN);
    timer.unref();
    result.catch(() => {}).finally(() => clearTimeout(timer)); // a failure is told by `sent`, too
    await sent;
    return { commandId };
  }

  result(commandId: string): CommandResult | 'pending' | null {
    const pending = this.#waiting.has(commandId) || this.#late.has(commandId);
    return this.#find(commandId) ?? (pending ? 'pending' : null);
  }

  onResult(origin: string | null, listener: (result: CommandResult) => void): () => void {
    return this.#resultBus.subscribe(origin, listener);
  }

  onEvent(entityId: string | null, listener: (event: BusEvent) => void): () => void {
    return this.#eventBus.subscribe(entityId, listener);
  }

  /** the partitions whose commands this node handles now */
  get partitions(): readonly number[] {
    return [...this.#handlers.keys()].sort((a, b) => a - b);
  }

  /** Takes no more commands and hands the partitions to the other nodes. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopListening();
    for (const waiters of this.#waiting.values()) {
      for (const waiter of waiters) waiter.reject(new MillraceError('overloaded', 'the server is stopping'));
    }
    this.#waiting.clear();
    this.#assign([]);
    await Promise.all(this.#leaving);
    await this.#options.partitions.stop();
  }

  #send(request: CommandRequest): Sent {
    if (this.#closed) throw new MillraceError('overloaded', 'the server is stopping');
    const commandId = request.commandId ?? (this.#options.newCommandId ?? randomUUID)();
    const known = request.commandId === undefined ? null : this.#find(commandId);
    if (known !== null) {
      return { commandId, sent: Promise.resolve(), result: Promise.resolve(known), giveUp: () => {} };
    }
    const { promise: result, resolve, reject } = Promise.withResolvers<CommandResult>();
    const waiter = { resolve, reject };
    const giveUp = () => this.#giveUp(commandId, waiter);
    const waiters = this.#waiting.get(commandId);
    if (waiters !== undefined) {
      waiters.push(waiter);
      return { commandId, sent: Promise.resolve(), result, giveUp };
    }
    const prepared = this.#decisions.prepare({ ...request, commandId });
    if (this.#waiting.size >= this.#maxPending) {
      throw new MillraceError('overloaded', 'too many commands wait to be handled', {
        hint: 'send again later, with the same command id',
      });
    }
    this.#waiting.set(commandId, [waiter]);
    const sent = this.#options.partitions
      .send({ key: Buffer.from(request.entityId, 'utf8'), value: encodeRequest(prepared.request) })
      .catch(error => {
        this.#lost(commandId, error);
        throw error;
      });
    return { commandId, sent, result, giveUp };
  }

  get #maxPending(): number {
    return this.#options.maxPending ?? MAX_PENDING;
  }

  #giveUp(commandId: string, waiter: Waiter): void {
    const others = (this.#waiting.get(commandId) ?? [waiter]).filter(w => w !== waiter);
    if (others.length > 0) {
      this.#waiting.set(commandId, others);
      return;
    }
    if (!this.#waiting.delete(commandId)) return;
    this.#late.add(commandId);
    if (this.#late.size > this.#maxPending) this.#late.delete(firstOf(this.#late));
  }

  #lost(commandId: string, error: unknown): void {
    const waiters = this.#waiting.get(commandId) ?? [];
    this.#waiting.delete(commandId);
    const [, ...others] = waiters; // the first one hears of it as its sending
    for (const waiter of others) waiter.reject(error);
  }

  /** A result that is durable here with all that its command wrote. */
  #find(commandId: string): CommandResult | null {
    const record = this.#log.lastByKey(this.#resultsTopic, Buffer.from(commandId, 'utf8'));
    if (!record?.value) return null;
    const keepFor = this.#options.keepResultsFor ?? 7 * DAY;
    if (record.appendTime + keepFor <= this.#log.lastAppendTime()) return null;
    const found = foundPlaces(this.#log, record);
    return found === null ? null : resultAt(record, found);
  }

  #assign(partitions: readonly number[]): void {
    if (this.#closed) partitions = [];
    for (const [partition, handler] of this.#handlers) {
      if (partitions.includes(partition)) continue;
      this.#handlers.delete(partition);
      const left: Promise<void> = handler.stop().finally(() => this.#leaving.delete(left));
      this.#leaving.add(left);
    }
    const {
      log,
      entity,
      onError,
      cacheSize = 20_000,
      keepResultsFor = 7 * DAY,
      snapshotEvery = 1,
    } = this.#options;
    for (const partition of partitions) {
      if (this.#handlers.has(partition)) continue;
      const handler = new PartitionHandler({
        partition,
        log,
        entity,
        writer: this.#options.partitions.writer(partition),
        handled: this.#handled,
        resultsTopic: this.#resultsTopic,
        keepResultsFor,
        snapshotEvery,
        cacheSize,
        onError,
      });
      this.#handlers.set(partition, handler);
    }
  }

  #flushed(end: number): void {
    for (const handler of this.#handlers.values()) handler.wake();
    const waited = this.#early;
    this.#early = [];
    for (const record of waited) this.#tell(record);
    for (const block of this.#log.read(this.#scanned, end)) {
      const topic = block.topics.indexOf(this.#resultsTopic);
      if (topic < 0) continue;
      for (let i = 0; i < block.n; i++) {
        if (block.topic[i] === topic && block.partition[i]! >= 0) this.#tell(recordAt(block, i));
      }
    }
    this.#scanned = end;
  }

  #tell(record: LogRecord): void {
    let found: FoundPlaces | null;
    let result: CommandResult;
    try {
      found = foundPlaces(this.#log, record);
      if (found === null) {
        this.#early.push(record);
        if (this.#early.length > MAX_EARLY) this.#early.shift();
        return;
      }
      result = resultAt(record, found);
    } catch (error) {
      this.#options.onError(error); // somebody else has written it
      return;
    }
    const waiters = this.#waiting.get(result.commandId) ?? [];
    this.#waiting.delete(result.commandId);
    this.#late.delete(result.commandId);
    for (const waiter of waiters) waiter.resolve(result);
    const { entity, entityId, origin, commandId, position, events } = result;
    const seqs = found.sequences(this.#options.entity.topics.events);
    for (const [i, event] of events.entries()) {
      const seq = seqs[i] ?? position - 1;
      this.#eventBus.publish(entityId, { entity, entityId, origin, commandId, seq, position, event });
    }
    this.#resultBus.publish(origin, result);
  }
}

const resultAt = (record: LogRecord, { position }: FoundPlaces): CommandResult => ({
  ...decodeResult(record.value ?? new Uint8Array(), record.seq),
  position,
});

const firstOf = (ids: ReadonlySet<string>): string => ids.values().next().value ?? '';

/** The topics of an entity, and which need an index by key. */
export function entityTopics(
  entity: Pick<EntityType<never, never, never>, 'topics'>,
  resultsTopic: string,
): readonly { readonly name: string; readonly keyIndex: boolean }[] {
  const { commands, events, snapshots, published } = entity.topics;
  return [
    { name: commands, keyIndex: false },
    { name: events, keyIndex: true },
    { name: snapshots, keyIndex: true },
    { name: resultsTopic, keyIndex: true },
    ...published.map(name => ({ name, keyIndex: false })),
  ];
}
