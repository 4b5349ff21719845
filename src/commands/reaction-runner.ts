import { type ErrorCode, MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import type { AppendRecord, EventLog } from '../log/event-log.ts';
import {
  backOff,
  CannotHandle,
  DEFAULT_RETRY,
  type Delivery,
  type Reaction,
  type RetryPolicy,
} from './reaction.ts';
import { type Items, topicItems, type ViewChanges } from './reaction-source.ts';

export interface ReactionStatus {
  readonly name: string;
  /** `topic x` or `view x` */
  readonly follows: string;
  readonly state: 'running' | 'retrying' | 'stopped';
  /** everything before it is handled */
  readonly position: number;
  /** records of the log (of all topics) not yet looked at */
  readonly behind: number;
  readonly handled: number;
  readonly setAside: number;
  /** why it is retrying */
  readonly failure: { readonly message: string; readonly attempts: number } | null;
}

export interface ReactionPorts {
  readonly log: EventLog;
  /** null: reactions on views are refused */
  readonly views: ViewChanges | null;
  /** resolves after ms, or when the signal is aborted */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** records without an item after which the position is made durable all the same */
const IDLE_RECORDS = 65_536;

export const FAILURES_TOPIC = 'reaction-failures';

/** What is common to a record and to a change of a view. */
interface Item {
  readonly seq: number;
  readonly key: Uint8Array | string | null;
}

/** Runs one reaction: item by item, in order, each position made durable behind its item. */
export class ReactionRunner {
  readonly #reaction: Reaction;
  readonly #ports: ReactionPorts;
  readonly #retry: RetryPolicy;
  readonly #handler: string;
  #position: number;
  /** the position that was last given to the log */
  #committed = -1;
  #handled = 0;
  #setAside = 0;
  #failure: ReactionStatus['failure'] = null;
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | null = null;

  constructor(reaction: Reaction, ports: ReactionPorts) {
    this.#reaction = reaction;
    this.#ports = ports;
    this.#retry = { ...DEFAULT_RETRY, ...reaction.retry };
    this.#handler = `reaction/${reaction.name}`;
    const { log } = ports;
    const known = log.position(this.#handler);
    this.#position = known ?? (reaction.from === 'beginning' ? log.start() : log.end());
    if (known === null) this.#commit(this.#position);
    this.#committed = this.#position;
  }

  get status(): ReactionStatus {
    const reaction = this.#reaction;
    return {
      name: reaction.name,
      follows: 'topic' in reaction ? `topic ${reaction.topic}` : `view ${reaction.view}`,
      state: !this.#running ? 'stopped' : this.#failure ? 'retrying' : 'running',
      position: this.#position,
      behind: Math.max(0, this.#ports.log.end() - this.#position),
      handled: this.#handled,
      setAside: this.#setAside,
      failure: this.#failure,
    };
  }

  start(): void {
    if (this.#running) return;
    const abort = new AbortController();
    this.#running = { abort, ended: this.#run(abort.signal) };
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    const running = this.#running;
    running?.abort.abort();
    await running?.ended;
    this.#running = null;
    if (running && this.#position > this.#committed) this.#commit(this.#position);
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      const from = this.#position;
      try {
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (this.#position > from) attempt = 1;
        this.#failure = { message: messageOf(error), attempts: attempt };
        // a build is not waited for ever longer: what it gives is wanted as soon as it is there
        const building = error instanceof MillraceError && error.code === 'view_building';
        await this.#ports.wait(backOff(this.#retry, building ? 1 : attempt), signal);
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const reaction = this.#reaction;
    const { log, views } = this.#ports;
    if ('topic' in reaction) {
      if (!log.topic(reaction.topic)) throw missing('unknown_topic', `there is no topic "${reaction.topic}"`);
      const handle = reaction.handle.bind(reaction);
      await this.#each(topicItems(log, reaction.topic, this.#position, signal), handle, signal);
    } else {
      if (!views) throw missing('unknown_view', `no views run here, so "${reaction.view}" is not followed`);
      const handle = reaction.handle.bind(reaction);
      await this.#each(views.follow(reaction.view, this.#position, signal), handle, signal);
    }
  }

  async #each<T extends Item>(
    source: AsyncIterable<Items<T>>,
    handle: (item: T, delivery: Delivery) => Promise<void> | void,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const { items, next } of source) {
      for (const [i, item] of items.entries()) {
        const failed = await this.#deliver(item, handle, signal);
        if (signal.aborted && failed) return;
        // Changes of one sequence are handled together: the position cannot stand between them.
        if (items[i + 1]?.seq !== item.seq) this.#commit(item.seq + 1, failed ?? []);
        else if (failed) this.#commit(this.#position, failed);
        if (signal.aborted) return;
      }
      this.#failure = null;
      this.#position = next; // before it there is nothing to handle again, so it need not be durable at once
      if (next - this.#committed >= IDLE_RECORDS) this.#commit(next);
    }
  }

  /** Null when handled; else the records that set the item aside. When aborted, the item was not handled. */
  async #deliver<T extends Item>(
    item: T,
    handle: (item: T, delivery: Delivery) => Promise<void> | void,
    signal: AbortSignal,
  ): Promise<readonly AppendRecord[] | null> {
    const idempotencyKey = this.#idempotencyKey(item);
    for (let attempt = 1; ; attempt++) {
      try {
        await handle(item, { idempotencyKey, attempt, signal });
        this.#failure = null;
        this.#handled++;
        return null;
      } catch (error) {
        this.#failure = { message: messageOf(error), attempts: attempt };
        if (signal.aborted) return [];
        if (error instanceof CannotHandle || attempt >= this.#retry.attempts) {
          this.#setAside++;
          this.#failure = null;
          return [this.#setAsideRecord(item, idempotencyKey, messageOf(error))];
        }
        await this.#ports.wait(backOff(this.#retry, attempt), signal);
        if (signal.aborted) return [];
      }
    }
  }

  #idempotencyKey(item: Item): string {
    const reaction = this.#reaction;
    const place = 'topic' in reaction ? reaction.topic : `${reaction.view}/${String(item.key)}`;
    return `${reaction.name}/${place}/${item.seq}`;
  }

  #setAsideRecord(item: Item, idempotencyKey: string, message: string): AppendRecord {
    const { log } = this.#ports;
    if (!log.topic(FAILURES_TOPIC)) log.createTopic({ name: FAILURES_TOPIC, partitions: 1, keyIndex: false });
    const failure = { reaction: this.#reaction.name, seq: item.seq, idempotencyKey, message };
    return {
      topic: FAILURES_TOPIC,
      key: Buffer.from(this.#reaction.name, 'utf8'),
      value: Buffer.from(JSON.stringify(failure), 'utf8'),
    };
  }

  #commit(position: number, records: readonly AppendRecord[] = []): void {
    this.#position = position;
    this.#committed = position;
    const positions = [{ handler: this.#handler, seq: position }];
    faultPoint('reaction.position');
    // A log that cannot be written is told by whoever writes; the item then comes again.
    this.#ports.log.append({ records, positions }).durable.catch(() => {});
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function missing(code: ErrorCode, message: string): MillraceError {
  return new MillraceError(code, message);
}
