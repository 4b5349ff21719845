import { Session } from 'node:inspector';

/**
 * How much a piece of work does: the number of calls of functions of `src/` while it runs, as V8 counts them. It is the same on
 * every machine and however busy it is, as no time is.
 */
export class Work {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  }

  of(work: () => void): number {
    this.#calls();
    work();
    return this.#calls();
  }

  close(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** since the last call */
  #calls(): number {
    let calls = 0;
    this.#session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error;
      for (const { url, functions } of coverage.result) {
        if (!url.includes('/src/')) continue;
        for (const { ranges } of functions) calls += ranges[0]?.count ?? 0;
      }
    });
    return calls;
  }
}
