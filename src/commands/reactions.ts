import { assert } from '../core/assert.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Reaction } from './reaction.ts';
import { ReactionRunner, type ReactionStatus } from './reaction-runner.ts';
import type { ViewChanges } from './reaction-source.ts';

export interface ReactionsOptions {
  readonly log: EventLog;
  readonly reactions: readonly Reaction[];
  readonly views?: ViewChanges | undefined;
  /** how retries wait; by default with a timer */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** All reactions of a process. Those that are new get their first position here: construct it after a sample is laid. */
export class Reactions {
  readonly #runners: readonly ReactionRunner[];

  constructor(options: ReactionsOptions) {
    const { log, reactions, views = null, wait = timer } = options;
    assert(new Set(reactions.map(r => r.name)).size === reactions.length, 'two reactions have one name');
    this.#runners = reactions.map(reaction => new ReactionRunner(reaction, { log, views, wait }));
  }

  start(): void {
    for (const runner of this.#runners) runner.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#runners.map(runner => runner.stop()));
  }

  status(): readonly ReactionStatus[] {
    return this.#runners.map(runner => runner.status);
  }
}

function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timeout);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timeout = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
