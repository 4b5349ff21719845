import type { AppendRecord } from '../../src/log/event-log.ts';

export const TRANSFERS = 'transfers';
export const ACCOUNTS = 10;

export interface Transfer {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly cents: number;
}

/** mulberry32: numbers in [0, 1), the same for every run of a seed */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Transfers numbered from 0; some go from an account to itself. */
export function transfers(count: number, seed: number): readonly Transfer[] {
  const next = randomNumbers(seed);
  const account = () => Math.floor(next() * ACCOUNTS);
  return Array.from({ length: count }, (_, id) => ({
    id,
    from: account(),
    to: account(),
    cents: 1 + Math.floor(next() * 100_000),
  }));
}

/** The JSON of a transfer; money as digits, never as a float. */
export function transferText({ id, from, to, cents }: Transfer): string {
  const digits = String(cents).padStart(3, '0');
  const amount = `${digits.slice(0, -2)}.${digits.slice(-2)}`;
  return `{"id":${id},"from_account":${from},"to_account":${to},"amount":${amount}}`;
}

export function transferRecord(transfer: Transfer): AppendRecord {
  return { topic: TRANSFERS, key: null, value: Buffer.from(transferText(transfer)), timestamp: transfer.id };
}

/** Balances in cents by plain addition, of the accounts that the transfers name. */
export function balancesOf(list: readonly Transfer[]): ReadonlyMap<number, bigint> {
  const balances = new Map<number, bigint>();
  const add = (account: number, cents: number) =>
    balances.set(account, (balances.get(account) ?? 0n) + BigInt(cents));
  for (const { from, to, cents } of list) {
    add(from, -cents);
    add(to, cents);
  }
  return balances;
}
