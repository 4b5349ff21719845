import { type Bench, type Figure, inOwnProcess, median, runBench } from './bench.ts';
import type { KeyedState } from './keyed-state.ts';

const KEYS = [100_000, 1_000_000, 5_000_000];
/** where the promise is held */
const PROMISED = 1_000_000;

const bench: Bench = {
  name: 'memory',
  title: 'state of COUNT and SUM(DECIMAL) per key of 16 characters, each size in a process of its own',
  async run({ quick }) {
    const figures: Figure[] = [];
    for (const keys of quick ? [20_000] : KEYS) {
      const rounds = Array.from({ length: quick || keys > PROMISED ? 1 : 3 }, () =>
        inOwnProcess<KeyedState>('keyed-state.ts', [String(keys)], ['--expose-gc']),
      );
      const perKey = (what: 'heldBytes' | 'residentBytes' | 'stateBytes') =>
        median(rounds.map(r => r[what] / r.keys));
      const shown = keys.toLocaleString('en');
      figures.push(
        {
          name: `held-${keys}`,
          what: `memory per key at ${shown} keys: heap and typed columns, after a collection`,
          value: perKey('heldBytes'),
          unit: 'bytes',
          ...(keys === PROMISED ? { ceiling: 100 } : {}),
        },
        {
          name: `resident-${keys}`,
          what: `what the process grew by per key at ${shown} keys, as the operating system sees it`,
          value: perKey('residentBytes'),
          unit: 'bytes',
        },
        {
          name: `told-${keys}`,
          what: `what the engine tells of itself per key at ${shown} keys (status, metrics, memory budget)`,
          value: perKey('stateBytes'),
          unit: 'bytes',
        },
      );
    }
    return figures;
  },
};

if (import.meta.main) await runBench(bench);
