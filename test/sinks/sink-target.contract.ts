import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BIGINT, decimal, STRING } from '../../src/core/sql-type.ts';
import type { Row } from '../../src/core/value.ts';
import type { ServedRow, ViewChange } from '../../src/deploy/view-access.ts';
import { encodeKey } from '../../src/kv/key-codec.ts';
import type { SinkKind, SinkState, SinkTarget, SinkView } from '../../src/sinks/sink-target.ts';

export interface SinkPlace {
  /** the place as a sink of this name sees it */
  kind(sink: string): SinkKind;
  /** what a reader sees: rows of texts, NULL as null, sorted; null: nothing is there */
  read(): Promise<(string | null)[][] | null>;
  remove(): Promise<void>;
}

const KEYED: SinkView = {
  name: 'totals',
  statement: 'view',
  version: 'totals@1',
  columns: [
    { name: 'CUSTOMER', type: STRING },
    { name: 'n', type: BIGINT },
    { name: 'Total', type: decimal(12, 2) },
  ],
  key: [0],
};

const KEYLESS: SinkView = {
  name: 'large',
  statement: 'stream',
  version: 'large@1',
  columns: [{ name: 'id', type: STRING }],
  key: [],
};

/** What every adapter of the port promises. */
export function sinkTargetContract(name: string, makePlace: () => Promise<SinkPlace>): void {
  describe(`${name} keeps the rows of a view`, () => {
    let place: SinkPlace;
    let open: SinkTarget[];
    beforeEach(async () => {
      place = await makePlace();
      open = [];
    });
    afterEach(async () => {
      for (const target of open) await target.close();
      await place.remove();
    });

    const make = (sink = 'totals'): SinkTarget => {
      const target = place.kind(sink).make({ lost: () => {}, notice: () => {} });
      open.push(target);
      return target;
    };
    const at = (position: number, version = 'totals@1'): SinkState => ({ log: 'log1', version, position });
    const row = (...values: Row): ServedRow => ({
      row: values,
      rowtime: 0,
      key: encodeKey([values[0] ?? null], [STRING]),
    });
    const put = (...values: Row): ViewChange => ({
      ...row(...values),
      op: 'upsert',
      seq: 0,
      id: String(values[0]),
    });
    const gone = (key: Row[number]): ViewChange => ({ ...put(key, null, null), op: 'delete' });
    const loaded = async (rows: readonly ServedRow[], state = at(10)): Promise<SinkTarget> => {
      const target = make();
      await target.open(KEYED);
      const load = await target.load(KEYED);
      await load.rows(rows);
      await load.commit(state);
      return target;
    };

    it('has nothing of a new sink', async () => {
      expect(await make().open(KEYED)).toBeNull();
      expect(await place.read()).toBeNull();
    });

    it('shows a load to nobody before it is complete, and then all of it', async () => {
      const target = make();
      await target.open(KEYED);
      const load = await target.load(KEYED);
      await load.rows([row('a', 1n, 1250n), row('b', 2n, null)]);
      await load.rows([row('c', 9_007_199_254_740_993n, -1n)]);
      expect(await place.read()).toBeNull();
      await load.commit(at(10));
      expect(await place.read()).toEqual([
        ['a', '1', '12.50'],
        ['b', '2', null],
        ['c', '9007199254740993', '-0.01'],
      ]);
      await target.close();
      expect(await make().open(KEYED)).toEqual(at(10));
    });

    it('takes what changes while it is loaded', async () => {
      const target = make();
      await target.open(KEYED);
      const load = await target.load(KEYED);
      await load.rows([row('a', 1n, 0n), row('b', 2n, 0n)]);
      await load.changes([put('b', 3n, 0n), gone('a'), gone('never'), put('c', 4n, 0n)]);
      await load.changes([put('c', 5n, 0n)]);
      await load.commit(at(10));
      expect(await place.read()).toEqual([
        ['b', '3', '0.00'],
        ['c', '5', '0.00'],
      ]);
    });

    it.each([3, 300])('applies %i changes and moves its position with them', async n => {
      const target = await loaded([row('kept', 0n, 0n), ...range(n).map(i => row(`r${i}`, BigInt(i), 0n))]);
      const changes = range(n).map(i => (i % 3 === 0 ? gone(`r${i}`) : put(`r${i}`, BigInt(i), 100n)));
      await target.apply([...changes, put('new', 1n, 1n)], at(10), at(20));
      const rest = range(n).filter(i => i % 3 !== 0);
      expect(await place.read()).toEqual(
        [['kept', '0', '0.00'], ['new', '1', '0.01'], ...rest.map(i => [`r${i}`, String(i), '1.00'])].sort(
          byFirst,
        ),
      );
      await target.apply([], at(20), at(25));
      await target.close();
      expect(await make().open(KEYED)).toEqual(at(25));
    });

    it('refuses changes to rows at another position: they are of somebody else', async () => {
      const target = await loaded([row('a', 1n, 0n)]);
      const other = make();
      expect(await other.open(KEYED)).toEqual(at(10));
      await other.apply([put('a', 2n, 0n)], at(10), at(20));
      await expect(target.apply([put('a', 3n, 0n)], at(10), at(15))).rejects.toMatchObject({
        code: 'sink_conflict',
      });
      expect(await place.read()).toEqual([['a', '2', '0.00']]);
      await other.close();
      expect(await make().open(KEYED)).toEqual(at(20));
    });

    it('refuses a load when somebody else has written since', async () => {
      const target = await loaded([row('a', 1n, 0n)]);
      const other = make();
      await other.open(KEYED);
      const load = await other.load(KEYED);
      await load.rows([row('a', 9n, 0n)]);
      await target.apply([put('a', 2n, 0n)], at(10), at(20));
      await expect(load.commit(at(15))).rejects.toMatchObject({ code: 'sink_conflict' });
      await other.close();
      expect(await place.read()).toEqual([['a', '2', '0.00']]);
    });

    it('keeps nothing of a load that was left', async () => {
      await (await loaded([row('a', 1n, 0n)])).close();
      const target = make();
      await target.open(KEYED);
      const load = await target.load(KEYED);
      await load.rows(range(5_000).map(i => row(`r${i}`, 1n, 0n)));
      await target.close();
      expect(await place.read()).toEqual([['a', '1', '0.00']]);
      expect(await make().open(KEYED)).toEqual(at(10));
    });

    it('drops a load when another version is to be kept', async () => {
      const target = make();
      await target.open(KEYED);
      await (await target.load(KEYED)).rows([row('a', 1n, 0n)]);
      const second = { ...KEYED, version: 'totals@2' };
      await target.open(second);
      const load = await target.load(second);
      await load.rows([row('b', 2n, 0n)]);
      await load.commit(at(12, 'totals@2'));
      expect(await place.read()).toEqual([['b', '2', '0.00']]);
    });

    it('puts another version with other columns in the place of the one before', async () => {
      const target = await loaded([row('a', 1n, 0n), row('b', 1n, 0n)]);
      const second: SinkView = {
        ...KEYED,
        version: 'totals@2',
        columns: [...KEYED.columns, { name: 'note', type: STRING }],
      };
      expect(await target.open(second)).toEqual(at(10));
      const load = await target.load(second);
      await load.rows([row('a', 1n, 0n, 'tab\tand "quote" and \\')]);
      expect(await place.read()).toHaveLength(2);
      await load.commit(at(20, 'totals@2'));
      await target.apply([put('z', 2n, 0n, 'line\nbreak')], at(20, 'totals@2'), at(21, 'totals@2'));
      expect(await place.read()).toEqual([
        ['a', '1', '0.00', 'tab\tand "quote" and \\'],
        ['z', '2', '0.00', 'line\nbreak'],
      ]);
    });

    it.each([1, 200])('tells NULL from empty in keys of views, %i at a time', async n => {
      const others = range(n).map(i => row(`r${i}`, 0n, 0n));
      const target = await loaded([row(null, 1n, 0n), row('', 2n, 0n), ...others]);
      const without = others.map(r => gone(r.row[0] ?? null));
      await target.apply([gone(null), put('', 3n, 0n), ...without], at(10), at(11));
      expect(await place.read()).toEqual([['', '3', '0.00']]);
      await target.apply([put(null, 4n, 0n), gone('')], at(11), at(12));
      expect(await place.read()).toEqual([[null, '4', '0.00']]);
    });

    it('keeps the equal rows of a view without key apart', async () => {
      const target = make('large');
      const line = (n: number, id: string): ServedRow => ({
        row: [id],
        rowtime: 0,
        key: encodeKey(
          [id, n],
          [STRING, BIGINT].map((t, i) => (i === 0 ? t : { kind: 'INT' })),
        ),
      });
      await target.open(KEYLESS);
      const load = await target.load(KEYLESS);
      await load.rows([line(0, 'a'), line(1, 'a')]);
      await load.commit(at(10, 'large@1'));
      const more: ViewChange[] = [2, 3].map(n => ({ ...line(n, 'a'), op: 'insert', seq: n, id: String(n) }));
      await target.apply(more, at(10, 'large@1'), at(12, 'large@1'));
      expect(await place.read()).toEqual([['a'], ['a'], ['a'], ['a']]);
    });
  });
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

function byFirst(a: readonly (string | null)[], b: readonly (string | null)[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}
