import { MillraceError } from '../core/errors.ts';
import { type RunnerPorts, type Sink, SinkRunner, type SinkStatus } from './sink-runner.ts';

export interface SinksOptions extends Omit<RunnerPorts, 'wait'> {
  readonly sinks: readonly Sink[];
  /** how retries wait; by default with a timer */
  readonly wait?: RunnerPorts['wait'] | undefined;
}

/** All sinks of a process. */
export class Sinks {
  readonly #runners: ReadonlyMap<string, SinkRunner>;

  constructor({ sinks, log, views, report, wait = timer }: SinksOptions) {
    this.#runners = new Map(sinks.map(s => [s.name, new SinkRunner(s, { log, views, report, wait })]));
  }

  start(): void {
    for (const runner of this.#runners.values()) runner.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#runners.values()].map(runner => runner.stop()));
  }

  list(): readonly SinkStatus[] {
    return [...this.#runners.values()].map(r => r.status);
  }

  /** Throws `unknown_sink`. */
  status(name: string): SinkStatus {
    return this.#runner(name).status;
  }

  /** Whether the rows of a sink have reached a position within `ms`. Throws `unknown_sink`. */
  reaches(name: string, seq: number, ms: number): Promise<boolean> {
    return this.#runner(name).reaches(seq, ms);
  }

  #runner(name: string): SinkRunner {
    const runner = this.#runners.get(name);
    if (runner !== undefined) return runner;
    throw new MillraceError('unknown_sink', `there is no sink "${name.slice(0, 80)}"`, {
      hint:
        this.#runners.size === 0
          ? 'sinks are declared in pipelines/sinks.yaml'
          : `there are ${[...this.#runners.keys()].join(', ')}`,
    });
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
