import type { EventLog } from '../log/event-log.ts';
import { type CommandResult, decodeResult } from './command-result.ts';

/**
 * The first result of every command id, as long as results are kept. Those whose append is not yet durable are held
 * in memory, the rest is found through the key index of the results topic.
 */
export class ResultStore {
  readonly #log: EventLog;
  readonly #topic: string;
  readonly #keepFor: number;
  readonly #inFlight = new Map<string, Settled>();

  constructor(log: EventLog, topic: string, keepFor: number) {
    this.#log = log;
    this.#topic = topic;
    this.#keepFor = keepFor;
  }

  /** The result, when it is younger than the kept time at `now`. */
  find(commandId: string, now: number): Settled | null {
    const inFlight = this.#inFlight.get(commandId);
    if (inFlight) return inFlight;
    const record = this.#log.lastByKey(this.#topic, Buffer.from(commandId, 'utf8'));
    if (!record?.value || record.appendTime + this.#keepFor <= now) return null;
    return { result: decodeResult(record.value, record.seq), durable: DURABLE };
  }

  /** Holds a result until its append is durable. */
  hold(settled: Settled): void {
    this.#inFlight.set(settled.result.commandId, settled);
  }

  isHeld(commandId: string): boolean {
    return this.#inFlight.has(commandId);
  }

  release(commandId: string): void {
    this.#inFlight.delete(commandId);
  }

  /** Nothing that was held will become durable. */
  releaseAll(): void {
    this.#inFlight.clear();
  }
}

/** A result, and when it may be told: not before the append that holds it is durable. */
export interface Settled {
  readonly result: CommandResult;
  readonly durable: Promise<void>;
}

const DURABLE = Promise.resolve();
