import type { LedgerEntry, LedgerReason } from './dataflow.ts';

/** positions kept per view, reason: the first and the last this many */
const KEPT = 1000;
const HOUR = 3_600_000;

export interface LedgerCount {
  readonly view: string;
  readonly reason: LedgerReason;
  /** start of the hour of the log's clock, ms */
  readonly hour: number;
  readonly count: number;
}

export interface LedgerPlace {
  readonly seq: number;
  readonly appendTime: number;
  readonly message: string;
}

interface Account {
  readonly view: string;
  readonly reason: LedgerReason;
  readonly hours: Map<number, number>;
  first: LedgerPlace[];
  last: LedgerPlace[];
}

/** Plain data, structured-cloneable. */
export type LedgerState = readonly Account[];

/**
 * What did not reach a view and why (design, law 5): exact counts per view, reason and hour, and the first and last
 * 1,000 places of each, so that records can be looked at and driven again.
 */
export class Ledger {
  readonly #accounts = new Map<string, Account>();

  add(entry: LedgerEntry): void {
    const key = `${entry.view} ${entry.reason}`;
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = { view: entry.view, reason: entry.reason, hours: new Map(), first: [], last: [] };
      this.#accounts.set(key, account);
    }
    const hour = Math.floor(entry.appendTime / HOUR) * HOUR;
    account.hours.set(hour, (account.hours.get(hour) ?? 0) + 1);
    const place: LedgerPlace = { seq: entry.seq, appendTime: entry.appendTime, message: entry.message };
    if (account.first.length < KEPT) account.first.push(place);
    account.last.push(place);
    if (account.last.length >= 2 * KEPT) account.last = account.last.slice(-KEPT);
  }

  counts(): readonly LedgerCount[] {
    return [...this.#accounts.values()].flatMap(a =>
      [...a.hours].map(([hour, count]) => ({ view: a.view, reason: a.reason, hour, count })),
    );
  }

  places(
    view: string,
    reason: LedgerReason,
  ): { first: readonly LedgerPlace[]; last: readonly LedgerPlace[] } {
    const account = this.#accounts.get(`${view} ${reason}`);
    return { first: account?.first ?? [], last: account?.last.slice(-KEPT) ?? [] };
  }

  /** The first and the last places in one list, each once, in order. */
  kept(view: string, reason: LedgerReason): readonly LedgerPlace[] {
    const { first, last } = this.places(view, reason);
    const all = [...(this.#accounts.get(`${view} ${reason}`)?.hours.values() ?? [])].reduce(
      (n, count) => n + count,
      0,
    );
    return [...first, ...last.slice(Math.max(0, first.length + last.length - all))];
  }

  /** Forgets a view: its new version brings its own account. */
  drop(view: string): void {
    for (const [key, account] of this.#accounts) if (account.view === view) this.#accounts.delete(key);
  }

  /** As it is now: later entries do not change it. */
  state(): LedgerState {
    return [...this.#accounts.values()].map(a => ({
      ...a,
      hours: new Map(a.hours),
      first: [...a.first],
      last: a.last.slice(-KEPT),
    }));
  }

  /** Adds the accounts of a saved state; a view's saved account replaces the one here. */
  load(state: LedgerState): void {
    for (const account of state) this.#accounts.set(`${account.view} ${account.reason}`, account);
  }
}
