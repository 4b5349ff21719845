import { expect, it } from 'vitest';
import { byAccount } from '../../bench/bank/faults.ts';
import { runServer } from '../../bench/bank/server-run.ts';
import { balancesOf, transfers } from '../../bench/bank/transfers.ts';

/** The same over HTTP: pages of rows, queries over several views, change feeds that go on over restarts. */

const long = process.env.MILLRACE_LONG === '1';
const COUNT = long ? 100_000 : 3_000;
const RESTARTS = long ? 24 : 3;
const SEED = Number(process.env.MILLRACE_SEED ?? 20_261_124);

it('a bank that is killed and stopped while it is read has no money at any position', {
  timeout: long ? 1_200_000 : 120_000,
}, async () => {
  const made = transfers(COUNT, SEED);
  const run = await runServer({ transfers: made, seed: SEED, restarts: RESTARTS });
  expect(run.faults, `seed ${SEED}`).toEqual([]);
  expect(byAccount(run.balances, 'balance')).toEqual(balancesOf(made));
  expect(run.killed + run.stopped).toBe(RESTARTS);
  // more than the ends: readers were there while transfers came in
  expect(run.positions).toBeGreaterThan(RESTARTS * 3);
  expect([run.reads > 0, run.events > 0]).toEqual([true, true]);
});
