import { describe, expect, it } from 'vitest';
import { bankPlan, type EngineRun, runEngine } from '../../bench/bank/engine-run.ts';
import { byAccount, faultsOf } from '../../bench/bank/faults.ts';
import {
  balancesOf,
  randomNumbers,
  TRANSFERS,
  transferRecord,
  transfers,
} from '../../bench/bank/transfers.ts';
import { ManualClock } from '../../src/core/clock.ts';
import type { RecordBlock } from '../../src/core/log-record.ts';
import type { LogReader } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';

/** No transfer makes money: whatever a reader sees of the views, at whatever position, adds up to nothing. */

const long = process.env.MILLRACE_LONG === '1';
const COUNT = long ? 100_000 : 2_000;
const SEED = Number(process.env.MILLRACE_SEED ?? 20_261_124);
const made = transfers(COUNT, SEED);
const expected = balancesOf(made);
const plan = bankPlan();

async function bankLog(): Promise<LogReader> {
  const log = createMemoryLog({ clock: new ManualClock(0) });
  log.createTopic({ name: TRANSFERS, partitions: 1, keyIndex: false });
  for (let i = 0; i < made.length; i += 1000) {
    await log.append({ records: made.slice(i, i + 1000).map(transferRecord) }).durable;
  }
  return log;
}

const log = await bankLog();

function* cut(size: () => number): Generator<RecordBlock> {
  for (let from = 0; from < log.end(); ) {
    const to = Math.min(log.end(), from + size());
    yield* log.read(from, to, to - from);
    from = to;
  }
}

function expectRight({ faults, rows }: EngineRun): void {
  expect(faults, `seed ${SEED}`).toEqual([]);
  expect(byAccount(rows.balance ?? [], 'balance')).toEqual(expected);
  expect(rows.total).toEqual([{ total: 0n }]);
  expect(rows.both_sides).toEqual([{ transfers: BigInt(COUNT), difference: 0n }]);
}

describe('the bank', () => {
  it('has no money at any position', { timeout: 600_000 }, () => {
    const run = runEngine({ plan, blocks: cut(() => 1), restart: () => false });
    expectRight(run);
    expect(run.positions).toBe(COUNT);
  });

  it.each([1, 2, 3])('has none at random cuts, restored at some of them (%i)', { timeout: 600_000 }, n => {
    const next = randomNumbers(SEED + n);
    const sizes = [1, 3, 16, 300, 5_000].slice(0, n + 2);
    const run = runEngine({
      plan,
      blocks: cut(() => 1 + Math.floor(next() * (sizes[Math.floor(next() * sizes.length)] ?? 1))),
      restart: () => next() < (long ? 0.01 : 0.1),
    });
    expectRight(run);
    expect(run.restarts).toBeGreaterThan(0);
  });

  it('is found out when one side of a transfer is missing', () => {
    const row = (account: bigint, cents: bigint) => ({ account, amount: cents, balance: cents });
    expect(faultsOf({ balance: [row(1n, -5n), row(2n, 5n)], total: [{ total: 0n }] })).toEqual([]);
    expect(
      faultsOf({
        balance: [row(1n, -5n), row(2n, 4n)],
        balance_by_union: [row(1n, -5n), row(2n, 5n)],
        debits: [row(1n, 5n)],
        credits: [row(2n, 4n)],
        total: [{ total: -1n }],
        differences: [{ account: 2n }],
      }),
    ).toEqual([
      'the rows of balance add up to -1 cents',
      'total says total -1',
      'differences has a row: account 2',
      '5 cents were paid, 4 received',
      'account 2 has 4 cents by joins, 5 by unions',
    ]);
  });
});
