import { expect, test } from 'vitest';
import type { ViewChange } from '../../src/commands/reaction.ts';
import { MillraceError } from '../../src/core/errors.ts';
import { BIGINT, STRING } from '../../src/core/sql-type.ts';
import type { ChangeListener, OpenView, ViewAccess } from '../../src/deploy/view-access.ts';
import { followedViews } from '../../src/followed-views.ts';

/** A view of counts by name that serves what the test says, and keeps changes from `keptFrom` on. */
function servedView(keptFrom: number, position: number) {
  const listeners = new Set<ChangeListener>();
  const asked: (number | null)[] = [];
  const view: Pick<OpenView, 'name' | 'columns' | 'key' | 'position' | 'scan'> = {
    name: 'counts',
    columns: [
      { name: 'name', type: STRING },
      { name: 'n', type: BIGINT },
    ],
    key: [0],
    position,
    scan: () => [{ key: new Uint8Array(), row: ['a/b', 5n], rowtime: 0 }],
  };
  const views: Pick<ViewAccess, 'open' | 'subscribe' | 'position'> = {
    open: () => view as OpenView,
    position: () => position,
    subscribe(_, from, listener) {
      asked.push(from);
      if (from !== null && from < keptFrom) throw new MillraceError('position_expired', 'gone');
      if (from !== null && from > position) throw new MillraceError('position_ahead', 'not yet');
      listeners.add(listener);
      return { close: () => listeners.delete(listener) };
    },
  };
  const publish = (name: string, n: bigint | null, at: number) => {
    for (const listener of listeners) {
      listener.changes([{ op: n === null ? 'delete' : 'upsert', row: [name, n], rowtime: 0 }], at);
    }
  };
  const replace = () => {
    for (const listener of [...listeners]) listener.reset();
  };
  return { views, asked, listeners, publish, replace };
}

function follow(served: ReturnType<typeof servedView>, from: number) {
  const gaps: (readonly [number, number])[] = [];
  const abort = new AbortController();
  const source = followedViews(served.views, { onGap: (_, a, b) => gaps.push([a, b]) });
  const items = source.follow('counts', from, abort.signal)[Symbol.asyncIterator]();
  const next = async (): Promise<readonly ViewChange[]> => (await items.next()).value?.items ?? [];
  return { gaps, next, stop: () => abort.abort(), items };
}

test('changes come in order with their key as text, and end with the signal', async () => {
  const served = servedView(5, 10);
  const { next, stop, gaps } = follow(served, 10);
  const first = next();
  served.publish('a/b', 6n, 12);
  served.publish('c', null, 15);
  expect(await first).toEqual([{ view: 'counts', seq: 11, key: 'a%2Fb', row: { name: 'a/b', n: 6n } }]);
  expect(await next()).toEqual([{ view: 'counts', seq: 14, key: 'c', row: null }]);
  const last = next();
  stop();
  expect(await last).toEqual([]);
  expect(served.listeners.size).toBe(0);
  expect(gaps).toEqual([]);
});

test('from the beginning means the rows as they are, then their changes', async () => {
  const served = servedView(5, 10);
  const { next, stop } = follow(served, 0);
  expect((await next()).map(c => [c.key, c.seq])).toEqual([['a%2Fb', 9]]);
  const then = next();
  served.publish('d', 1n, 11);
  expect((await then).map(c => c.key)).toEqual(['d']);
  expect(served.asked).toEqual([10]);
  stop();
});

test('a promotion goes on with the new version from the position that was reached', async () => {
  const served = servedView(5, 20);
  const { next, stop } = follow(served, 10);
  const first = next();
  served.publish('a', 1n, 12);
  await first;
  const second = next();
  served.replace();
  await new Promise(resolve => setImmediate(resolve));
  served.publish('b', 1n, 13);
  expect((await second).map(c => c.key)).toEqual(['b']);
  expect(served.asked).toEqual([10, 12]);
  stop();
});

test('changes that are no longer kept are reported, and following goes on from now', async () => {
  const served = servedView(8, 20);
  const { next, stop, gaps } = follow(served, 3);
  const first = next();
  served.publish('a', 1n, 21);
  expect((await first).map(c => c.seq)).toEqual([20]);
  expect(gaps).toEqual([[3, 20]]);
  stop();
});

test('a view that a crash set back does not tell again what was handled', async () => {
  const served = servedView(0, 7);
  const { next, stop, gaps } = follow(served, 10);
  const first = next();
  served.publish('a', 1n, 9);
  served.publish('b', 1n, 12);
  expect((await first).map(c => c.key)).toEqual(['b']);
  expect(gaps).toEqual([]);
  stop();
});
