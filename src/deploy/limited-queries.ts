import { MillraceError } from '../core/errors.ts';
import type { AdHocQueries, AdHocResult } from './ad-hoc-queries.ts';
import { withinTime } from './time-limit.ts';

/** ms that one query may hold the thread which also serves everybody else */
const MAX_TIME = 5_000;

/** Ad hoc queries that end, whatever is asked: a pattern may take longer than anybody lives. */
export class LimitedQueries {
  readonly #queries: Pick<AdHocQueries, 'run'>;
  readonly #maxTime: number;

  constructor(queries: Pick<AdHocQueries, 'run'>, { maxTime = MAX_TIME } = {}) {
    this.#queries = queries;
    this.#maxTime = maxTime;
  }

  /** As {@link AdHocQueries.run}; throws `limit_exceeded` when it takes too long. */
  run(sql: string): AdHocResult {
    const done = withinTime(this.#maxTime, () => this.#queries.run(sql));
    if (done !== null) return done.result;
    throw new MillraceError('limit_exceeded', `the query took longer than ${this.#maxTime} ms`, {
      hint: 'read less, simplify its patterns, or make it a view: drop it into views/ as a file',
    });
  }
}
