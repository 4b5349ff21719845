import { faultsOf, type SeenRow } from './faults.ts';
import { FollowedView } from './followed-view.ts';

/** columns of the bank's views that are money */
const MONEY: ReadonlySet<string> = new Set(['amount', 'balance', 'total', 'difference', 'joined', 'united']);

/** One statement over several views: all of them stand at one position. */
const ASKED = [
  'SELECT SUM(amount) AS total FROM (SELECT amount FROM credits UNION ALL SELECT -amount FROM debits) AS sides',
  'SELECT SUM(b.balance - u.balance) AS total FROM balance b JOIN balance_by_union u ON b.account = u.account',
];

/** What readers of a server have seen, over all of its lives. */
export class SeenByReaders {
  reads = 0;
  events = 0;
  readonly positions = new Set<string>();
  readonly faults: string[] = [];
  /** by position, what feeds of both sides have come to */
  readonly #sides = new Map<string, readonly [side: string, cents: bigint]>();

  see(view: string, rows: readonly SeenRow[], position: string): void {
    this.positions.add(position);
    this.faults.push(...faultsOf({ [view]: rows }).map(fault => `at ${position}: ${fault}`));
  }

  /** Both sides of transfers are followed apart, and agree at every position that both have reached. */
  seeSide(side: string, cents: bigint, position: string): void {
    const other = this.#sides.get(position);
    if (other === undefined || other[0] === side) this.#sides.set(position, [side, cents]);
    else if (other[1] !== cents) {
      this.faults.push(`at ${position}: ${side} come to ${cents} cents, ${other[0]} to ${other[1]}`);
    }
  }

  get both(): number {
    return this.#sides.size;
  }
}

/** Reads a running server on all ways until `stopped`, or until it is gone. */
export class BankReaders {
  readonly #seen: SeenByReaders;
  readonly #feeds: readonly FollowedView[];

  constructor(seen: SeenByReaders) {
    this.#seen = seen;
    this.#feeds = ['balance', 'balance_by_union', 'debits', 'credits', 'total'].map(
      view => new FollowedView(view, row => seenRow(row)),
    );
  }

  /** Feeds go on where they were with the server before. */
  async run(url: string, stopped: AbortSignal): Promise<void> {
    const until = async (work: () => Promise<void>): Promise<void> => {
      while (!stopped.aborted) {
        try {
          await work();
        } catch (error) {
          if (stopped.aborted || isGone(error)) return;
          throw error;
        }
      }
    };
    await Promise.all([
      until(() => this.#readRows(url)),
      until(() => this.#ask(url)),
      ...this.#feeds.map(feed => until(() => this.#follow(feed, url, stopped))),
    ]);
  }

  async #readRows(url: string): Promise<void> {
    for (const view of [
      'balance',
      'total',
      'balance_by_union',
      'differences',
      'both_sides',
      'total_by_union',
    ]) {
      const answer = await fetch(`${url}/views/${view}`);
      await this.#take(view, answer);
    }
  }

  async #ask(url: string): Promise<void> {
    for (const sql of ASKED) {
      const answer = await fetch(`${url}/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sql }),
      });
      await this.#take('total', answer);
    }
  }

  async #take(view: string, answer: Response): Promise<void> {
    const text = await answer.text();
    // a server that has just been started builds its views
    if (answer.status === 503) return;
    if (!answer.ok) throw new Error(`${view}: ${answer.status} ${text}`);
    const { rows, position } = JSON.parse(text) as { rows: Record<string, unknown>[]; position: string };
    this.#seen.reads++;
    this.#seen.see(view, rows.map(seenRow), position);
  }

  async #follow(feed: FollowedView, url: string, stopped: AbortSignal): Promise<void> {
    await feed.follow(url, stopped, position => {
      this.#seen.events++;
      if (feed.view !== 'debits' && feed.view !== 'credits') {
        this.#seen.see(feed.view, feed.rows(), position);
        return;
      }
      const cents = feed.rows().reduce((sum, row) => sum + (row.amount ?? 0n), 0n);
      this.#seen.seeSide(feed.view, cents, position);
    });
  }
}

export function seenRow(row: Readonly<Record<string, unknown>>): SeenRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === null) return [name, null];
      return [name, MONEY.has(name) ? cents(String(value)) : BigInt(String(value))];
    }),
  );
}

/** Money has two digits behind the point, exactly. */
function cents(text: string): bigint {
  const digits = /^(-?\d+)\.(\d\d)$/.exec(text);
  if (digits === null) throw new Error(`${text} is no amount of money`);
  return BigInt(`${digits[1]}${digits[2]}`);
}

/** The server ended while it was asked. */
function isGone(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && error.name === 'AbortError');
}
