import { randomUUID } from 'node:crypto';
import { assert } from '../core/assert.ts';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Command } from './command.ts';
import { CommandDecisions, type Outcome, type Prepared } from './command-decisions.ts';
import { CommandInbox, type Incoming } from './command-inbox.ts';
import { type CommandRequest, decodeRequest, encodeRequest } from './command-request.ts';
import type { CommandResult } from './command-result.ts';
import type { BusEvent, Commands } from './commands.ts';
import { EntityStore } from './entity-store.ts';
import type { EntityType } from './entity-type.ts';
import { EventBus } from './event-bus.ts';
import { ResultStore, type Settled } from './result-store.ts';

export interface CommandRuntimeOptions<C extends Command, Event, State> {
  readonly log: EventLog;
  readonly entity: EntityType<C, Event, State>;
  /** topic with key index; default `command-results` */
  readonly resultsTopic?: string | undefined;
  /** ms for which a command id is remembered; default 7 days */
  readonly keepResultsFor?: number | undefined;
  /** a snapshot after so many versions; default 1: the snapshot topic is the table of current states */
  readonly snapshotEvery?: number | undefined;
  /** entities kept in memory; default 20,000 */
  readonly cacheSize?: number | undefined;
  /** commands accepted and not yet handled, beyond which `overloaded` is thrown; default 20,000 */
  readonly maxPending?: number | undefined;
  readonly newCommandId?: (() => string) | undefined;
  /** hears of bugs and of listeners that throw */
  readonly onError: (error: unknown) => void;
}

interface Waiter {
  readonly resolve: (settled: Settled) => void;
  readonly reject: (error: unknown) => void;
}

const DAY = 86_400_000;
/** what is wrong with the log, not with a command */
const UNWRITABLE: readonly string[] = ['log_write_failed', 'disk_full'];
/** Commands of one append: bounds its size and how long the loop holds the thread. */
const MAX_BATCH = 256;
/** records of other topics after which an idle handler makes its position durable */
const IDLE_RECORDS = 65_536;

/**
 * The event-sourced handler of one commands topic: load, decide, evolve, then one append with the events, the snapshot
 * and the result of each command and the handler's own position. So after a crash a command has either all of that or
 * nothing, and is then handled again from its own durable record: it counts once.
 * Nothing is awaited between accepting a command and appending its result; both become durable with one group commit.
 */
export class CommandRuntime<C extends Command, Event, State> implements Commands {
  readonly types: Commands['types'];
  readonly #options: CommandRuntimeOptions<C, Event, State>;
  readonly #log: EventLog;
  readonly #entity: EntityType<C, Event, State>;
  readonly #handlerName: string;
  readonly #resultsTopic: string;
  readonly #store: EntityStore<C, Event, State>;
  readonly #decisions: CommandDecisions<C, Event, State>;
  readonly #results: ResultStore;
  #inbox: CommandInbox<Prepared<C>>;
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #resultBus: EventBus<CommandResult>;
  readonly #eventBus: EventBus<BusEvent>;
  readonly #stopListening: () => void;
  #scheduled = false;
  #closed = false;
  #lastFailure: unknown = null;

  /**
   * Creates the entity's topics, then takes up what was left over. Call it while no append is in flight, before the
   * runtime's topics are written by anyone else.
   */
  constructor(options: CommandRuntimeOptions<C, Event, State>, partitions = 1) {
    const { log, entity } = options;
    const { commands, events, snapshots, published } = entity.topics;
    this.#options = options;
    this.#log = log;
    this.#entity = entity;
    this.#handlerName = `commands/${commands}`;
    this.#resultsTopic = options.resultsTopic ?? 'command-results';
    const topics: readonly (readonly [name: string, keyIndex: boolean])[] = [
      [commands, false],
      [events, true],
      [snapshots, true],
      [this.#resultsTopic, true],
      ...published.map(name => [name, false] as const),
    ];
    for (const [name, keyIndex] of topics) {
      const topic = log.topic(name) ?? log.createTopic({ name, partitions, keyIndex });
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
    this.#store = new EntityStore(log, entity, options.cacheSize ?? 20_000);
    this.#decisions = new CommandDecisions({
      entity,
      store: this.#store,
      resultsTopic: this.#resultsTopic,
      snapshotEvery: options.snapshotEvery ?? 1,
    });
    this.#results = new ResultStore(log, this.#resultsTopic, options.keepResultsFor ?? 7 * DAY);
    this.#resultBus = new EventBus(options.onError);
    this.#eventBus = new EventBus(options.onError);
    this.#inbox = this.#openInbox();
    const stops = [log.onFlushed(end => this.#flushed(end)), log.beforeCommit(() => this.#pumpBesides())];
    this.#stopListening = () => {
      for (const stop of stops) stop();
    };
    this.#pump();
  }

  async submit(request: CommandRequest): Promise<CommandResult> {
    const { result, durable } = await this.#send(request, undefined).settled;
    await durable;
    return result;
  }

  async enqueue(request: CommandRequest): Promise<{ readonly commandId: string }> {
    const { commandId, accepted, settled } = this.#send(request, undefined);
    settled.catch(() => {}); // told by the failed append, too
    await accepted;
    return { commandId };
  }

  /**
   * Handles a command within this call, at a given append time: for histories that are laid down. The result counts
   * when `durable` resolves.
   */
  handleAt(request: CommandRequest, appendTime: number): Settled {
    const { commandId, settled } = this.#send(request, appendTime);
    settled.catch(() => {});
    this.#pump(appendTime);
    const done = this.#results.find(commandId, appendTime);
    assert(done, 'a command is handled at once while nobody else writes commands');
    return done;
  }

  result(commandId: string): CommandResult | 'pending' | null {
    // What is not durable yet may still be undone: it is not told.
    if (this.#waiting.has(commandId) || this.#results.isHeld(commandId)) return 'pending';
    return this.#results.find(commandId, this.#log.lastAppendTime())?.result ?? null;
  }

  onResult(origin: string | null, listener: (result: CommandResult) => void): () => void {
    return this.#resultBus.subscribe(origin, listener);
  }

  onEvent(entityId: string | null, listener: (event: BusEvent) => void): () => void {
    return this.#eventBus.subscribe(entityId, listener);
  }

  /** Stops taking commands. Those already accepted are durable or will be handled at the next start. */
  close(): void {
    this.#closed = true;
    this.#stopListening();
    for (const waiters of this.#waiting.values()) {
      for (const waiter of waiters) waiter.reject(new MillraceError('overloaded', 'the server is stopping'));
    }
    this.#waiting.clear();
  }

  #send(
    request: CommandRequest,
    appendTime: number | undefined,
  ): { commandId: string; accepted: Promise<void>; settled: Promise<Settled> } {
    if (this.#closed) throw new MillraceError('overloaded', 'the server is stopping');
    const fresh = request.commandId === undefined;
    const commandId = request.commandId ?? (this.#options.newCommandId ?? randomUUID)();
    const known = fresh ? null : this.#results.find(commandId, appendTime ?? this.#log.lastAppendTime());
    if (known) return { commandId, accepted: known.durable, settled: Promise.resolve(known) };
    const waiters = this.#waiting.get(commandId);
    const { promise: settled, resolve, reject } = Promise.withResolvers<Settled>();
    if (waiters) {
      waiters.push({ resolve, reject });
      const accepted = settled.then(s => s.durable);
      accepted.catch(() => {}); // submit awaits `settled` alone
      return { commandId, accepted, settled };
    }
    const prepared = this.#decisions.prepare({ ...request, commandId }, fresh);
    if (this.#inbox.size >= (this.#options.maxPending ?? 20_000)) {
      throw new MillraceError('overloaded', 'too many commands wait to be handled', {
        hint: 'send again later, with the same command id',
      });
    }
    const record = {
      topic: this.#entity.topics.commands,
      key: Buffer.from(request.entityId, 'utf8'),
      value: encodeRequest(prepared.request),
    };
    faultPoint('command.accept');
    const appended = this.#log.append({ records: [record], appendTime });
    this.#waiting.set(commandId, [{ resolve, reject }]);
    this.#inbox.add(appended, record, prepared);
    appended.durable.catch(error => this.#lost([commandId], error));
    this.#schedule();
    return { commandId, accepted: appended.durable, settled };
  }

  /** With the other commands of this turn, and before the log's commit: a command and its result share one group. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  /** Within the work of others, whom a failure of this does not concern. */
  #pumpBesides(): void {
    try {
      this.#pump();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #pump(appendTime?: number): void {
    if (this.#closed) return;
    for (;;) {
      const batch = this.#inbox.take(MAX_BATCH);
      if (batch.length === 0) return;
      this.#handleBatch(batch, appendTime);
    }
  }

  /** Records of other topics are passed by, durably from time to time, so that no start reads far to find commands. */
  #flushed(end: number): void {
    this.#pump();
    if (this.#closed || !this.#inbox.passed(end)) return;
    if (end - (this.#log.position(this.#handlerName) ?? 0) < IDLE_RECORDS) return;
    faultPoint('command.pass');
    this.#log
      .append({ records: [], positions: [{ handler: this.#handlerName, seq: end }] })
      .durable.catch(() => {});
  }

  #handleBatch(batch: readonly Incoming<Prepared<C>>[], appendTime: number | undefined): void {
    const outcomes = new Map<string, Outcome>();
    for (const incoming of batch) {
      const outcome = this.#handle(incoming, outcomes);
      if (outcome) outcomes.set(outcome.draft.commandId, outcome);
    }
    const position = (batch.at(-1)?.seq ?? 0) + 1;
    if (outcomes.size === 0) {
      this.#inbox.passed(position); // only repeated ids: the next append moves the durable position
      return;
    }
    try {
      this.#append([...outcomes.values()], position, appendTime);
    } catch (error) {
      this.#store.forgetAll();
      if (batch.length > 1) for (const incoming of batch) this.#handleBatch([incoming], appendTime);
      else this.#refuseUnwritable([...outcomes.values()], position, error);
    }
  }

  #append(outcomes: readonly Outcome[], position: number, appendTime: number | undefined): void {
    faultPoint('command.decide');
    const appended = this.#log.append({
      records: outcomes.flatMap(o => o.records),
      positions: [{ handler: this.#handlerName, seq: position }],
      appendTime,
    });
    this.#store.trim();
    this.#inbox.passed(appended.end);
    this.#settle(outcomes, appended.records[0]?.seq ?? 0, appended.durable);
  }

  /** What a command wants to write does not fit the log: it is rejected. A log that fails altogether is told. */
  #refuseUnwritable(outcomes: readonly Outcome[], position: number, error: unknown): void {
    for (const { draft } of outcomes) {
      const { commandId, entityId, type, origin, at } = draft;
      try {
        if (!(error instanceof MillraceError) || UNWRITABLE.includes(error.code)) throw error;
        this.#append(
          [this.#decisions.rejected(error, { commandId, entityId, type, origin, at })],
          position,
          undefined,
        );
      } catch (failure) {
        this.#lost([draft.commandId], failure);
      }
    }
  }

  /** Null: the id has its result already. Never throws: what cannot be handled is rejected. */
  #handle(incoming: Incoming<Prepared<C>>, batch: ReadonlyMap<string, Outcome>): Outcome | null {
    const entityId = incoming.key ? Buffer.from(incoming.key).toString('utf8') : '';
    const place = `${this.#entity.topics.commands}-${incoming.partition}-${incoming.offset}`;
    let request: CommandRequest | null = incoming.prepared?.request ?? null;
    let outcome: Outcome;
    try {
      request ??= decodeRequest(incoming.value ?? new Uint8Array(), entityId);
      const commandId = request.commandId ?? place;
      if (batch.has(commandId)) return null;
      const known =
        incoming.prepared?.fresh === true ? null : this.#results.find(commandId, incoming.appendTime);
      if (known) {
        this.#tell(commandId, known);
        return null;
      }
      outcome = this.#decisions.outcome(
        incoming.prepared ?? this.#decisions.prepare({ ...request, commandId }),
        incoming.appendTime,
      );
    } catch (error) {
      if (!(error instanceof MillraceError)) this.#options.onError(error);
      const { commandId = place, type = '', origin = null } = request ?? {};
      outcome = this.#decisions.rejected(error, {
        entityId,
        commandId,
        type,
        origin,
        at: incoming.appendTime,
      });
    }
    return outcome;
  }

  /** Gives results their positions, holds them until durable, then tells. `firstSeq`: of the batch's first record. */
  #settle(outcomes: readonly Outcome[], firstSeq: number, durable: Promise<void>): void {
    let end = firstSeq;
    const told = outcomes.map(({ draft, records }) => {
      const events = records.flatMap((record, i) =>
        record.topic === this.#entity.topics.events ? [end + i] : [],
      );
      end += records.length;
      const settled: Settled = { result: { ...draft, position: end }, durable };
      this.#results.hold(settled);
      this.#tell(draft.commandId, settled);
      return { result: settled.result, events };
    });
    durable.then(
      () => {
        for (const { result, events } of told) this.#publish(result, events);
      },
      error =>
        this.#lost(
          told.map(t => t.result.commandId),
          error,
        ),
    );
  }

  #tell(commandId: string, settled: Settled): void {
    const waiters = this.#waiting.get(commandId) ?? [];
    this.#waiting.delete(commandId);
    for (const waiter of waiters) waiter.resolve(settled);
  }

  #publish(result: CommandResult, seqs: readonly number[]): void {
    this.#results.release(result.commandId);
    const { entity, entityId, origin, commandId, position } = result;
    for (const [i, event] of result.events.entries()) {
      const seq = seqs[i] ?? position - 1;
      this.#eventBus.publish(entityId, { entity, entityId, origin, commandId, seq, position, event });
    }
    this.#resultBus.publish(origin, result);
  }

  #openInbox(): CommandInbox<Prepared<C>> {
    const position = this.#log.position(this.#handlerName) ?? 0;
    return new CommandInbox(this.#log, this.#entity.topics.commands, position);
  }

  /** Appends failed: what memory believes beyond the durable log is forgotten, and everyone who waits is told. */
  #lost(commandIds: readonly string[], error: unknown): void {
    // A failed commit refuses all that was accepted, each append with this same error.
    if (this.#lastFailure !== error) {
      this.#lastFailure = error;
      this.#store.forgetAll();
      this.#results.releaseAll();
      try {
        this.#inbox = this.#openInbox();
      } catch (cause) {
        this.#options.onError(cause); // the log is closed: nothing comes any more
      }
    }
    for (const commandId of commandIds) {
      for (const waiter of this.#waiting.get(commandId) ?? []) waiter.reject(error);
      this.#waiting.delete(commandId);
    }
  }
}
