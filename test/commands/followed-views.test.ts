import { expect, test } from 'vitest';
import { MillraceError } from '../../src/core/errors.ts';
import { BIGINT, STRING } from '../../src/core/sql-type.ts';
import type { MissedChanges } from '../../src/deploy/missed-changes.ts';
import type { ChangeListener, OpenView, ViewAccess, ViewChange } from '../../src/deploy/view-access.ts';
import { followedViews } from '../../src/followed-views.ts';

/** `a 3 @7`: the count of a is 3 from record 7 on; `a - @7`: it is gone. */
function change(text: string): ViewChange {
  const [, name = '', n = '', seq = ''] = /^(\S+) (\S+) @(\d+)$/.exec(text) ?? [];
  const row = [name, n === '-' ? null : BigInt(n)];
  return {
    op: n === '-' ? 'delete' : 'upsert',
    row,
    rowtime: 0,
    seq: Number(seq),
    id: name,
    key: Buffer.from(name),
  };
}

const COLUMNS = [
  { name: 'name', type: STRING },
  { name: 'n', type: BIGINT },
];

/** A view of counts by name at a position, whose feed keeps changes from `keptFrom` on. */
function servedView(keptFrom: number, position: number) {
  const listeners = new Set<ChangeListener>();
  const kept: { readonly changes: readonly ViewChange[]; readonly at: number }[] = [];
  const asked: string[] = [];
  const again: ViewChange[] = [];
  const views: Pick<ViewAccess, 'open' | 'subscribe' | 'position'> = {
    open: () => ({ name: 'counts', columns: COLUMNS }) as unknown as OpenView,
    position: () => position,
    subscribe(_, from, listener) {
      asked.push(`feed from ${from ?? 'now'}`);
      if (from !== null && from < keptFrom) throw new MillraceError('position_expired', 'gone');
      if (from !== null && from > position) throw new MillraceError('position_ahead', 'not yet');
      if (from !== null) for (const { changes, at } of kept) if (at > from) listener.changes(changes, at);
      listeners.add(listener);
      return { close: () => listeners.delete(listener) };
    },
  };
  const missed: MissedChanges = async function* ({ view, from, to }) {
    asked.push(`${view} again from ${from} to ${to}`);
    for (const c of again) if (c.seq >= from && c.seq < to) yield { changes: [c], position: c.seq + 1 };
  };
  const publish = (at: number, ...changes: string[]) => {
    position = at;
    if (changes.length === 0) return;
    kept.push({ changes: changes.map(change), at });
    for (const listener of [...listeners]) listener.changes(changes.map(change), at);
  };
  const replace = (since: number) => {
    keptFrom = since;
    kept.length = 0;
    for (const listener of [...listeners]) listener.reset();
  };
  return { ports: { views, missed }, asked, listeners, again, publish, replace };
}

function follow(served: ReturnType<typeof servedView>, from: number) {
  const abort = new AbortController();
  const items = followedViews(served.ports).follow('COUNTS', from, abort.signal)[Symbol.asyncIterator]();
  /** the next changes, passing over positions without any */
  const next = async (): Promise<readonly string[]> => {
    for (;;) {
      const { value, done } = await items.next();
      if (done) return ['the end'];
      const told = value.items.map(c => `${c.key} ${c.row === null ? '-' : c.row.n} @${c.seq}`);
      if (told.length > 0) return told;
    }
  };
  return { next, stop: () => abort.abort() };
}

test('changes come with the sequence of their record, in its order, and end with the signal', async () => {
  const served = servedView(5, 10);
  const { next, stop } = follow(served, 10);
  const first = next();
  served.publish(15, 'a 6 @14', 'b - @11');
  served.publish(17, 'c 1 @16');
  expect(await first).toEqual(['b - @11', 'a 6 @14']);
  expect(await next()).toEqual(['c 1 @16']);
  const last = next();
  stop();
  expect(await last).toEqual(['the end']);
  expect(served.listeners.size).toBe(0);
});

test('what the feed no longer keeps is computed again, and the feed goes on without gap or overlap', async () => {
  const served = servedView(8, 20);
  served.again.push(change('a 1 @2'), change('a 2 @3'), change('b 1 @9'), change('x 9 @25'));
  const { next, stop } = follow(served, 3);
  expect(await next()).toEqual(['a 2 @3']);
  served.publish(26, 'x 9 @25');
  expect(await next()).toEqual(['b 1 @9']);
  expect(await next()).toEqual(['x 9 @25']);
  expect(served.asked).toEqual(['feed from 3', 'counts again from 3 to 20', 'feed from 20']);
  stop();
});

test('from the beginning means every change there was', async () => {
  const served = servedView(5, 10);
  served.again.push(change('a 1 @0'), change('a 2 @4'));
  const { next, stop } = follow(served, 0);
  expect([await next(), await next()]).toEqual([['a 1 @0'], ['a 2 @4']]);
  const then = next();
  served.publish(12, 'a 3 @11');
  expect(await then).toEqual(['a 3 @11']);
  stop();
});

test('a promotion goes on with the new version from the position that was reached', async () => {
  const served = servedView(5, 20);
  served.again.push(change('a 1 @11'), change('b 2 @21'));
  const { next, stop } = follow(served, 20);
  const first = next();
  served.publish(21, 'a 1 @20');
  await first;
  const second = next();
  served.publish(23);
  served.replace(23);
  expect(await second).toEqual(['b 2 @21']);
  expect(served.asked.at(-1)).toBe('counts again from 21 to 23');
  stop();
});

test('a view that a crash set back does not tell again what was handled', async () => {
  const served = servedView(0, 7);
  const { next, stop } = follow(served, 10);
  const first = next();
  served.publish(9, 'a 1 @8');
  served.publish(12, 'b 1 @9', 'c 1 @11');
  expect(await first).toEqual(['c 1 @11']);
  stop();
});

test('a slow reaction does not keep all that comes in memory: it takes the rest from the feed later', async () => {
  const served = servedView(0, 1);
  const { next, stop } = follow(served, 1);
  const first = next();
  served.publish(2, 'a 1 @1');
  await first;
  const many = (from: number) => Array.from({ length: 6_000 }, (_, i) => `k${i} 1 @${from + i}`);
  served.publish(6_002, ...many(2));
  served.publish(12_002, ...many(6_002));
  expect(served.listeners.size).toBe(0);
  served.publish(12_003, 'z 1 @12002');
  expect((await next()).length + (await next()).length).toBe(12_000);
  expect(await next()).toEqual(['z 1 @12002']);
  expect(served.asked.at(-1)).toBe('feed from 12002');
  stop();
});
