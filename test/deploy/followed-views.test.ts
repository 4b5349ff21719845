import { describe, expect, it } from 'vitest';
import { createReaction, type Delivery, type ViewChange } from '../../src/commands/reaction.ts';
import { Reactions } from '../../src/commands/reactions.ts';
import { missedChanges } from '../../src/deploy/missed-changes.ts';
import { followedViews } from '../../src/followed-views.ts';
import { until } from '../until.ts';
import { dataFolder, EXTENSIONS, manyOrders, type Running, start } from './data-folder.ts';

const VIEWS = {
  totals: 'CREATE TABLE totals AS SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer;',
  large: 'CREATE STREAM large AS SELECT id, customer, amount FROM orders WHERE amount > 50;',
};

/** Follows a view and notes what it handles, over several processes. */
class Follower {
  readonly view: string;
  readonly handled: { readonly seq: number; readonly key: string; readonly row: ViewChange['row'] }[] = [];
  readonly idempotencyKeys: string[] = [];
  #reactions: Reactions | null = null;

  constructor(view: string) {
    this.view = view;
  }

  start(server: Running): void {
    const { log, views, folder } = server;
    const missed = missedChanges({
      dataDir: folder.dir,
      extensions: EXTENSIONS,
      zone: 'UTC',
      plans: () => views.deployment.plans,
    });
    const reaction = createReaction({
      name: 'follower',
      view: this.view,
      from: 'beginning',
      handle: ({ seq, key, row }: ViewChange, { idempotencyKey }: Delivery) => {
        this.handled.push({ seq, key, row });
        this.idempotencyKeys.push(idempotencyKey);
      },
    });
    this.#reactions = new Reactions({ log, reactions: [reaction], views: followedViews({ views, missed }) });
    this.#reactions.start();
  }

  async stop(): Promise<void> {
    await this.#reactions?.stop();
  }

  ids(): unknown[] {
    return this.handled.map(c => c.row?.id);
  }

  async reached(id: string): Promise<void> {
    await until(`the reaction has handled ${id}`, () => this.ids().includes(id));
  }
}

/** ids of the orders that are in the view `large` */
const large = (orders: readonly (readonly [string, string, number])[]) =>
  orders.filter(([, , amount]) => amount > 50).map(([id]) => id);

describe('a reaction on a view', () => {
  it('hears every change once over restarts, those that came while it was away too', async () => {
    const folder = dataFolder(VIEWS);
    const follower = new Follower('LARGE');
    const sent: [string, string, number][] = [];
    for (const round of [0, 1, 2]) {
      const server = await start(folder);
      await server.caughtUp();
      follower.start(server);
      const orders = manyOrders(300, sent.length);
      sent.push(...orders, [`last-${round}`, 'c', 99]);
      await server.orders(sent.slice(-301));
      await follower.reached(`last-${round}`);
      await follower.stop();
      const away = manyOrders(200, sent.length);
      sent.push(...away);
      await server.orders(away);
      await server.caughtUp();
      await server.stop();
    }
    const server = await start(folder);
    follower.start(server);
    sent.push(['end', 'c', 99]);
    await server.orders([['end', 'c', 99]]);
    await follower.reached('end');
    await follower.stop();
    expect(follower.ids()).toEqual(large(sent));
    expect(new Set(follower.idempotencyKeys).size).toBe(follower.handled.length);
  });

  it('hears again, under the same idempotency keys, what was handled before its position was durable', async () => {
    const folder = dataFolder(VIEWS);
    const follower = new Follower('large');
    const first = await start(folder);
    await first.caughtUp();
    follower.start(first);
    const orders = manyOrders(100);
    await first.orders([...orders, ['end', 'c', 99]]);
    await follower.reached('end');
    await follower.stop();
    const { handled } = follower;
    const back = handled[10]?.seq ?? 0;
    await first.log.append({ records: [], positions: [{ handler: 'reaction/follower', seq: back }] }).durable;
    await first.stop();

    const again = new Follower('large');
    again.start(await start(folder));
    await again.reached('end');
    await again.stop();
    expect(again.handled).toEqual(handled.slice(10));
    expect(again.idempotencyKeys).toEqual(follower.idempotencyKeys.slice(10));
  });

  it('hears of a table what its rows become: nothing is missing at the end, nothing is invented', async () => {
    const folder = dataFolder(VIEWS);
    const follower = new Follower('totals');
    const first = await start(folder);
    await first.orders(manyOrders(500));
    await first.caughtUp();
    follower.start(first);
    await until('the reaction has begun', () => follower.handled.length > 0);
    await follower.stop();
    await first.orders(manyOrders(500, 500));
    await first.caughtUp();
    await first.stop();

    const second = await start(folder);
    follower.start(second);
    await second.orders([['end', 'final', 1]]);
    await until('the reaction has handled the last order', () => follower.handled.at(-1)?.key === 'final');
    await follower.stop();
    await second.caughtUp();
    const rows = new Map(follower.handled.map(c => [c.key, [c.row?.customer, Number(c.row?.n)]]));
    expect([...rows.values()].sort()).toEqual(second.rows('totals'));
    const seen = new Map<string, number>();
    for (const { key, seq, row } of follower.handled) {
      expect(Number(row?.n)).toBeGreaterThan(seen.get(key) ?? 0);
      seen.set(key, Number(row?.n));
      expect(second.log.record(seq)?.topic).toBe('orders');
    }
  });

  it('goes on over a replay of its view without hearing history again', async () => {
    const folder = dataFolder(VIEWS);
    const follower = new Follower('large');
    const server = await start(folder);
    await server.caughtUp();
    follower.start(server);
    const before = manyOrders(300);
    await server.orders(before);
    await server.caughtUp();
    const version = () => server.views.deployment.served('large')?.version;
    const old = version();
    await server.views.replay('large');
    const during = manyOrders(300, 300);
    await server.orders(during);
    await until('the replay is live', () => version() !== old);
    await server.orders([['end', 'c', 99]]);
    await follower.reached('end');
    await follower.stop();
    expect(follower.ids()).toEqual([...large([...before, ...during]), 'end']);
  });
});
