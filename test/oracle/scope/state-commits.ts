import type { Engine, StateParts } from '../../../src/dataflow/dataflow.ts';

/** The state of an engine as the journal has it: what changed in each commit, without those that are needed no longer. */
export class StateCommits {
  readonly #inTurn: number | undefined;
  readonly #byView = new Map<string, Map<number, () => Uint8Array>>();
  readonly #neededFrom = new Map<string, number>();
  #commit = 0;

  /** `inTurn`: see `Engine.changes` */
  constructor(inTurn: number | undefined) {
    this.#inTurn = inTurn;
  }

  follow(engine: Engine): void {
    engine.track(view => this.#neededFrom.get(view) ?? 1);
  }

  take(engine: Engine): void {
    const commit = ++this.#commit;
    for (const [view, { bytes, neededFrom }] of engine.changes(commit, this.#inTurn)) {
      const kept = this.#byView.get(view) ?? new Map<number, () => Uint8Array>();
      this.#byView.set(view, bytes === null ? kept : kept.set(commit, bytes));
      this.#neededFrom.set(view, neededFrom);
      for (const old of [...kept.keys()]) if (old < neededFrom) kept.delete(old);
    }
  }

  parts(): StateParts {
    return new Map([...this.#byView].map(([view, kept]) => [view, [...kept.values()].map(bytes => bytes())]));
  }
}
