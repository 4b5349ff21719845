import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BIGINT, STRING } from '../../src/core/sql-type.ts';
import { EventReader, type ReadEvent } from './event-reader.ts';
import type { FakeView } from './fake-views.ts';
import { type HttpFixture, httpFixture } from './http-fixture.ts';

const COLUMNS = [
  { name: 'name', type: STRING },
  { name: 'n', type: BIGINT },
];

let http: HttpFixture;
let url: string;
let counts: FakeView;

beforeEach(async () => {
  http = await httpFixture();
  url = await http.listen();
  counts = http.views.add({ name: 'counts', columns: COLUMNS, key: [0] });
  http.views.moveTo(10, () =>
    counts.apply(10, [
      ['ada', 1n],
      ['bob', 2n],
    ]),
  );
});

afterEach(() => http.close());

const follow = (path = '/views/counts/changes', headers = {}) => EventReader.connect(url + path, headers);

/** `+ ada 1`, `- ada`, with the position where the event carries it as id. */
function line({ event, data, id }: ReadEvent): string {
  const at = id === undefined ? '' : ` @${id.replace('testlog-', '')}`;
  if (event === 'snapshot') {
    const rows = (data.rows as Record<string, string>[]).map(r => Object.values(r).join(' '));
    return `${data.complete ? '=' : '~'} ${rows.join(', ')}${at}`;
  }
  if (event !== 'change') return `${event}${at}`;
  const row = Object.values(data.row as Record<string, string>).join(' ');
  return `${data.op === 'delete' ? '-' : '+'} ${row}${at}`;
}

describe('changes of a view', () => {
  it('begin with its rows and go on with every change', async () => {
    const events = await follow();
    expect(events.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect((await events.take(1)).map(line)).toEqual(['= ada 1, bob 2 @a']);
    http.views.moveTo(11, () => counts.apply(11, [['cyd', 3n]]));
    http.views.moveTo(12, () => counts.apply(12, [['ada', 4n]], [['bob']]));
    expect((await events.take(3)).map(line)).toEqual(['+ cyd 3 @b', '+ ada 4', '- bob @c']);
    events.close();
  });

  it('carry their position as id on the last event alone, so that resuming misses none', async () => {
    http.views.moveTo(12, () =>
      counts.apply(12, [
        ['cyd', 3n],
        ['dan', 4n],
      ]),
    );
    const events = await follow('/views/counts/changes?after=testlog-a');
    expect((await events.take(2)).map(line)).toEqual(['+ cyd 3', '+ dan 4 @c']);
    events.close();
  });

  it('resume behind the last event that was read', async () => {
    http.views.moveTo(11, () => counts.apply(11, [['cyd', 3n]]));
    http.views.moveTo(12, () => counts.apply(12, [['cyd', 4n]]));
    const events = await follow('/views/counts/changes', { 'last-event-id': 'testlog-b' });
    expect((await events.take(1)).map(line)).toEqual(['+ cyd 4 @c']);
    http.views.moveTo(13, () => counts.apply(13, [['cyd', 5n]]));
    expect((await events.take(1)).map(line)).toEqual(['+ cyd 5 @d']);
    events.close();
  });

  it('are limited to rows that meet conditions; a row that no longer does is deleted', async () => {
    const events = await follow('/views/counts/changes?n.gte=2');
    expect((await events.take(1)).map(line)).toEqual(['= bob 2 @a']);
    http.views.moveTo(11, () =>
      counts.apply(11, [
        ['ada', 7n],
        ['bob', 1n],
      ]),
    );
    expect((await events.take(2)).map(line)).toEqual(['+ ada 7', '- bob @b']);
    events.close();
    const one = await follow('/views/counts/changes?name=bob');
    expect((await one.take(1)).map(line)).toEqual(['= bob 1 @b']);
    http.views.moveTo(12, () => counts.apply(12, [['ada', 8n]]));
    http.views.moveTo(13, () => counts.apply(13, [['bob', 9n]]));
    expect((await one.take(1)).map(line)).toEqual(['+ bob 9 @d']);
    one.close();
  });

  it('of rows without key are inserts', async () => {
    const lines = http.views.add({ name: 'lines', columns: COLUMNS.slice(0, 1) });
    http.views.moveTo(11, () => lines.apply(11, [['one']]));
    const events = await follow('/views/lines/changes');
    expect((await events.take(1)).map(line)).toEqual(['= one @b']);
    http.views.moveTo(12, () => lines.apply(12, [['two'], ['two']]));
    const [first, second] = await events.take(2);
    expect([first?.data, line(second as ReadEvent)]).toEqual([
      { op: 'insert', key: expect.any(String), row: { name: 'two' }, position: 'testlog-c' },
      '+ two @c',
    ]);
    events.close();
  });
});

describe('rows whose key is not shown', () => {
  it('are named by a key of their own in snapshots and changes', async () => {
    const secret = http.views.add({ name: 'secret', columns: COLUMNS.slice(1), hiddenKey: true });
    http.views.moveTo(11, () =>
      secret.apply(11, [
        [1n, 'ada'],
        [1n, 'bob'],
      ]),
    );
    const events = await follow('/views/secret/changes?n.lt=3');
    const { rows, keys } = ((await events.next()) as ReadEvent).data as {
      rows: unknown;
      keys: [string, string];
    };
    expect(rows).toEqual([{ n: '1' }, { n: '1' }]);
    const [ada, bob] = keys;
    expect(ada).not.toBe(bob);
    http.views.moveTo(12, () =>
      secret.apply(12, [
        [2n, 'ada'],
        [3n, 'bob'],
      ]),
    );
    http.views.moveTo(13, () => secret.apply(13, [], [['ada']]));
    expect((await events.take(3)).map(e => e.data)).toEqual([
      { op: 'upsert', key: ada, row: { n: '2' }, position: 'testlog-c' },
      { op: 'delete', key: bob, row: {}, position: 'testlog-c' },
      { op: 'delete', key: ada, row: {}, position: 'testlog-d' },
    ]);
    events.close();
  });
});

describe('a snapshot that takes several turns', () => {
  const name = (i: number) => `k${String(i).padStart(5, '0')}`;
  const N = 7000;

  it('neither misses nor doubles what changes meanwhile', async () => {
    const big = http.views.add({ name: 'big', columns: COLUMNS, key: [0] });
    const expected = new Map<string, string>();
    http.views.moveTo(11, () =>
      big.apply(
        11,
        Array.from({ length: N }, (_, i) => [name(i), 0n]),
      ),
    );
    const events = await follow('/views/big/changes');
    const rows = new Map<string, string>();
    let position = 11;
    for (;;) {
      const { event, data, id } = (await events.next()) as ReadEvent;
      if (event === 'change') {
        const { op, row } = data as { op: string; row: { name: string; n: string } };
        if (op === 'delete') rows.delete(row.name);
        else rows.set(row.name, row.n);
      } else {
        for (const row of data.rows as { name: string; n: string }[]) rows.set(row.name, row.n);
        if (!data.complete && position < 15) {
          // before and behind the place that the snapshot has reached
          position++;
          const n = BigInt(position);
          const changed = [name(position), name(N - position)].map(k => [k, n]);
          const deleted = [[name(position + 100)], [name(N - position - 100)]];
          http.views.moveTo(position, () => big.apply(position, changed, deleted));
        }
      }
      if (id === `testlog-${position.toString(36)}`) break;
    }
    expect(position).toBe(15);
    for (const { row } of big.scan()) expected.set(String(row[0]), String(row[1]));
    expect(rows).toEqual(expected);
    events.close();
  });

  it('takes large rows a few at a time', async () => {
    const wide = http.views.add({ name: 'wide', columns: COLUMNS, key: [0] });
    const names = Array.from({ length: 6 }, (_, i) => `${i}${'x'.repeat(600_000)}`);
    http.views.moveTo(11, () =>
      wide.apply(
        11,
        names.map(name => [name, 0n]),
      ),
    );
    const events = await follow('/views/wide/changes');
    const chunks: number[] = [];
    for (let complete = false; !complete; ) {
      const { data } = (await events.next()) as ReadEvent;
      chunks.push((data.rows as unknown[]).length);
      complete = data.complete === true;
    }
    expect(Math.max(...chunks)).toBeLessThanOrEqual(2);
    expect(chunks.reduce((a, b) => a + b)).toBe(6);
    events.close();
  });

  it('gives rows without key once', async () => {
    const big = http.views.add({ name: 'many', columns: COLUMNS.slice(0, 1) });
    http.views.moveTo(11, () =>
      big.apply(
        11,
        Array.from({ length: N }, (_, i) => [name(i)]),
      ),
    );
    const events = await follow('/views/many/changes');
    const seen: string[] = [];
    let more = 3;
    for (;;) {
      const { event, data } = (await events.next()) as ReadEvent;
      if (event === 'snapshot') seen.push(...(data.rows as { name: string }[]).map(r => r.name));
      else seen.push((data.row as { name: string }).name);
      if (more-- > 0) http.views.moveTo(15 - more, () => big.apply(15 - more, [[`more ${more}`]]));
      if (seen.includes('more 0')) break;
    }
    expect(seen).toEqual([...Array.from({ length: N }, (_, i) => name(i)), 'more 2', 'more 1', 'more 0']);
    events.close();
  });
});

describe('a subscriber', () => {
  it('whose position is too old is told to take a fresh snapshot', async () => {
    counts.feed.since = 10;
    const events = await follow('/views/counts/changes?after=testlog-9');
    expect(events.status).toBe(409);
    expect(JSON.parse(await events.text())).toMatchObject({
      code: 'position_expired',
      hint: expect.stringContaining('fresh snapshot'),
      position: 'testlog-a',
    });
    expect(counts.feed.listeners.size).toBe(0);
  });

  it('of another log, of the future or of nothing is refused', async () => {
    expect((await follow('/views/counts/changes?after=other-1')).status).toBe(409);
    expect((await follow('/views/counts/changes?after=testlog-zz')).status).toBe(409);
    expect((await follow('/views/counts/changes?after=!')).status).toBe(400);
    expect((await follow('/views/nothing/changes')).status).toBe(404);
    expect((await follow('/views/counts/changes?m=1')).status).toBe(400);
    http.views.building('later', 0.1);
    expect((await follow('/views/later/changes')).status).toBe(503);
  });

  it('gets a new snapshot when another version of the view serves', async () => {
    const events = await follow();
    await events.take(1);
    const next = http.views.replace({ name: 'counts', columns: [...COLUMNS].reverse(), key: [1] });
    next.apply(10, [[7n, 'ada']]);
    expect((await events.take(2)).map(line)).toEqual(['reset @', '= 7 ada @a']);
    http.views.moveTo(12, () => next.apply(12, [[8n, 'ada']]));
    expect((await events.take(1)).map(line)).toEqual(['+ 8 ada @c']);
    events.close();
  });

  it('that does not read is dropped with a position to resume at', async () => {
    const events = await follow();
    await events.take(1);
    events.pause();
    const wide = 'x'.repeat(10_000);
    let position = 10;
    while (counts.feed.listeners.size > 0 && position < 5000) {
      position++;
      const at = position;
      http.views.moveTo(at, () => counts.apply(at, [[`${wide}`, BigInt(at)]]));
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(counts.feed.listeners.size).toBe(0);
    events.resume();
    let last: ReadEvent | null = null;
    let before: ReadEvent | null = null;
    for (let event = await events.next(); event !== null; event = await events.next()) {
      before = last;
      last = event;
    }
    expect(last?.event).toBe('dropped');
    expect(last?.data.position).toBe(before?.id);
    // all behind that position is still to come
    const again = await follow(`/views/counts/changes?after=${String(last?.data.position)}`);
    const [first] = await again.take(1);
    const number = (event: ReadEvent | null | undefined) =>
      Number((event?.data.row as { n: string } | undefined)?.n);
    expect(number(first)).toBe(number(before) + 1);
    again.close();
  });

  it('that goes away is forgotten, and there may be so many at once', async () => {
    const events = await Promise.all([follow(), follow(), follow()]);
    const refused = await follow();
    expect([refused.status, JSON.parse(await refused.text()).code]).toEqual([503, 'overloaded']);
    events[0]?.close();
    while (counts.feed.listeners.size > 2) await new Promise(resolve => setImmediate(resolve));
    expect((await follow()).status).toBe(200);
  });

  it('sees the end of its stream when the server closes', async () => {
    const events = await follow();
    await events.take(1);
    await http.app.close();
    expect(await events.next()).toBeNull();
  });
});
