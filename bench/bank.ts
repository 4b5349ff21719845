import { rmSync } from 'node:fs';
import { ManualClock } from '../src/core/clock.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { LogReader } from '../src/log/event-log.ts';
import { bankPlan, runEngine } from './bank/engine-run.ts';
import { runServer } from './bank/server-run.ts';
import { randomNumbers, TRANSFERS, transferRecord, transfers } from './bank/transfers.ts';
import { type Bench, type Figure, runBench } from './bench.ts';
import { fill, temporaryFolder } from './history.ts';

const SEED = 7;

const bench: Bench = {
  name: 'bank',
  title:
    'transfers between ten accounts, debits, credits, balances by joins and by unions, their total: 0 at every position',
  async run({ quick }) {
    const made = transfers(quick ? 2_000 : 100_000, SEED);
    const dir = temporaryFolder();
    const log = await openEmbeddedLog({ dir, clock: new ManualClock(0) });
    try {
      await fill(log, TRANSFERS, made.map(transferRecord));
      const engine = throughEngine(log, made.length);
      const server = await runServer({ transfers: made, seed: SEED, restarts: quick ? 2 : 20 });
      const wrong = [...engine.faults, ...server.faults];
      if (wrong.length > 0) process.stderr.write(`${wrong.slice(0, 20).join('\n')}\n`);
      return [
        ...engine.figures,
        {
          name: 'engine-wrong',
          what: 'positions with money among them',
          value: engine.faults.length,
          unit: '',
          ceiling: 0,
        },
        {
          name: 'reads',
          what: `what HTTP clients saw (rows, queries, change events) of a server killed ${server.killed} and stopped ${server.stopped} times`,
          value: server.reads + server.events,
          unit: '',
        },
        { name: 'read-positions', what: 'different positions among them', value: server.positions, unit: '' },
        {
          name: 'reads-wrong',
          what: 'with money among them',
          value: server.faults.length,
          unit: '',
          ceiling: 0,
        },
      ];
    } finally {
      await log.close();
      rmSync(dir, { recursive: true });
    }
  },
};

/** Once with every record an epoch of its own, once cut at random and restored. */
function throughEngine(log: LogReader, count: number): { figures: Figure[]; faults: readonly string[] } {
  const plan = bankPlan();
  const next = randomNumbers(SEED);
  function* blocks(size: () => number) {
    for (let from = 0; from < log.end(); ) {
      const to = Math.min(log.end(), from + size());
      yield* log.read(from, to, to - from);
      from = to;
    }
  }
  const each = runEngine({ plan, blocks: blocks(() => 1), restart: () => false });
  const cut = runEngine({
    plan,
    blocks: blocks(() => 1 + Math.floor(next() ** 4 * 5_000)),
    restart: () => next() < 0.2,
  });
  const whole = runEngine({ plan, blocks: blocks(() => 16_384), restart: () => false });
  const rate = (ms: number): number => (count / ms) * 1000;
  return {
    faults: [...each.faults, ...cut.faults, ...whole.faults],
    figures: [
      {
        name: 'transfers',
        what: 'transfers through nine views, 16,384 at a time',
        value: rate(whole.ms),
        unit: 'events/s',
      },
      {
        name: 'one-by-one',
        what: 'one at a time: every position can be read',
        value: rate(each.ms),
        unit: 'events/s',
      },
      {
        name: 'positions',
        what: `positions looked at; ${cut.restarts} restarts`,
        value: each.positions + cut.positions + whole.positions,
        unit: '',
      },
    ],
  };
}

if (import.meta.main) await runBench(bench);
