import { assert } from '../core/assert.ts';
import type { LogRecord } from '../core/log-record.ts';

/**
 * A reaction: TypeScript that follows a topic's records or a view's changes, for effects outside (mails, reports).
 * It has a durable position of its own, which no replay, rebuild or promotion moves. Each item is handled at least once;
 * after a crash the last one may come again, with the same idempotency key.
 */
export type Reaction = TopicReaction | ViewReaction;

interface ReactionBase {
  /** names the position: keep it when the code changes */
  readonly name: string;
  /** where it begins when it has no position yet; default `now`: history is not reacted to */
  readonly from?: 'now' | 'beginning' | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
}

export interface TopicReaction extends ReactionBase {
  readonly topic: string;
  handle(record: LogRecord, delivery: Delivery): Promise<void> | void;
}

export interface ViewReaction extends ReactionBase {
  readonly view: string;
  handle(change: ViewChange, delivery: Delivery): Promise<void> | void;
}

/** A change of a view's row. */
export interface ViewChange {
  readonly view: string;
  /** sequence of the record that caused it */
  readonly seq: number;
  /** the row's key as text, unique within the view */
  readonly key: string;
  /** null: the row is gone */
  readonly row: { readonly [column: string]: unknown } | null;
}

export interface Delivery {
  /** equal for every delivery of the same item: a handler that keeps it can tell a repetition */
  readonly idempotencyKey: string;
  /** from 1 */
  readonly attempt: number;
  /** aborted when the process stops */
  readonly signal: AbortSignal;
}

/** What a module of `pipelines/` is given to make its reaction. */
export interface ReactionContext {
  /** where the reaction may write files, in a folder of its own name */
  readonly dataFolder: string;
  /** the `settings` of its entry in `pipelines/handlers.yaml` */
  readonly settings: { readonly [name: string]: unknown };
}

/** A module that is listed under `reactions` in `pipelines/handlers.yaml`. */
export interface ReactionModule {
  readonly reaction: (context: ReactionContext) => Reaction;
}

/** Thrown by a handler for an item that no further attempt can help: it is set aside at once. */
export class CannotHandle extends Error {
  override readonly name = 'CannotHandle';
}

/** A handler that throws is called again, after a time that doubles. */
export interface RetryPolicy {
  /** ms before the second attempt */
  readonly first: number;
  /** ms at most between attempts */
  readonly longest: number;
  /** after so many, or on {@link CannotHandle}, the item is set aside in the topic `reaction-failures`; default: never */
  readonly attempts: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  first: 1_000,
  longest: 300_000,
  attempts: Number.POSITIVE_INFINITY,
};

/** ms before the attempt after `attempt`. */
export function backOff(policy: RetryPolicy, attempt: number): number {
  return Math.min(policy.longest, policy.first * 2 ** Math.min(attempt - 1, 30));
}

/** Declares a reaction on a topic or on a view. */
export function createReaction(reaction: TopicReaction): TopicReaction;
export function createReaction(reaction: ViewReaction): ViewReaction;
export function createReaction(reaction: Reaction): Reaction {
  assert(/^[a-z0-9][a-z0-9._-]{0,99}$/i.test(reaction.name), `"${reaction.name}" is no name for a reaction`);
  return Object.freeze(reaction);
}
