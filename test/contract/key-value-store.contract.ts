import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyRange, KeyValueStore } from '../../src/kv/key-value-store.ts';

export interface StoreUnderTest {
  open(): KeyValueStore;
  dispose(store: KeyValueStore): Promise<void>;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : new TextDecoder().decode(bytes);

/** What every store must do. */
export function keyValueStoreContract(name: string, under: StoreUnderTest): void {
  describe(`key-value store: ${name}`, () => {
    let store: KeyValueStore;

    beforeEach(() => {
      store = under.open();
    });
    afterEach(() => under.dispose(store));

    const put = (...keys: string[]) =>
      store.write(tx => {
        for (const key of keys) tx.put(utf8(key), utf8(`v${key}`));
      });
    const keys = (range: { start?: string; end?: string; reverse?: boolean; limit?: number } = {}) => {
      const bounds: KeyRange = {
        ...range,
        start: range.start === undefined ? undefined : utf8(range.start),
        end: range.end === undefined ? undefined : utf8(range.end),
      };
      return [...store.range(bounds)].map(e => text(e.key));
    };

    test('get, overwrite, delete', () => {
      expect(store.get(utf8('a'))).toBeNull();
      put('a', 'b');
      store.write(tx => {
        tx.put(utf8('a'), utf8('new'));
        tx.delete(utf8('b'));
        tx.delete(utf8('was never there'));
      });
      expect(text(store.get(utf8('a')))).toBe('new');
      expect(store.get(utf8('b'))).toBeNull();
      expect(store.get(utf8('a'))?.constructor).toBe(Uint8Array);
    });

    test('an empty value is a value', () => {
      store.write(tx => tx.put(utf8('a'), new Uint8Array()));
      expect(store.get(utf8('a'))).toEqual(new Uint8Array());
      expect([...store.range({})]).toHaveLength(1);
    });

    test('keys are ordered as unsigned bytes, shorter first', () => {
      const wanted = [[0], [0, 0], [0, 255], [1], [127], [128], [255], [255, 255]].map(k =>
        Uint8Array.from(k),
      );
      store.write(tx => {
        for (const key of wanted.toReversed()) tx.put(key, key);
      });
      expect([...store.range({})]).toEqual(wanted.map(key => ({ key, value: key })));
    });

    test('ranges include the start and not the end, in both directions', () => {
      put('b', 'd', 'a', 'c', 'e');
      expect(keys()).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(keys({ start: 'b', end: 'd' })).toEqual(['b', 'c']);
      expect(keys({ start: 'b', end: 'd', reverse: true })).toEqual(['c', 'b']);
      expect(keys({ start: 'b', reverse: true })).toEqual(['e', 'd', 'c', 'b']);
      expect(keys({ end: 'c', reverse: true })).toEqual(['b', 'a']);
      expect(keys({ start: 'bb', end: 'dd' })).toEqual(['c', 'd']);
      expect(keys({ start: 'bb', end: 'dd', reverse: true })).toEqual(['d', 'c']);
      expect(keys({ start: 'd', end: 'b' })).toEqual([]);
      expect(keys({ start: 'd', end: 'b', reverse: true })).toEqual([]);
      expect(keys({ start: 'c', end: 'c' })).toEqual([]);
      expect(keys({ start: '', end: 'b' })).toEqual(['a']);
      expect(keys({ start: '', end: 'b', reverse: true })).toEqual(['a']);
      expect(keys({ end: '' })).toEqual([]);
      expect(keys({ start: 'x' })).toEqual([]);
    });

    test('limits count from the side where the range begins', () => {
      put('a', 'b', 'c', 'd');
      expect(keys({ limit: 2 })).toEqual(['a', 'b']);
      expect(keys({ limit: 2, reverse: true })).toEqual(['d', 'c']);
      expect(keys({ limit: 1, end: 'd', reverse: true })).toEqual(['c']);
      expect(keys({ limit: 0 })).toEqual([]);
    });

    test('a transaction reads its own writes and gives its result', () => {
      put('a', 'b');
      const seen = store.write(tx => {
        tx.put(utf8('c'), utf8('1'));
        tx.delete(utf8('a'));
        return [text(tx.get(utf8('c'))), tx.get(utf8('a')), [...tx.range({})].map(e => text(e.key))];
      });
      expect(seen).toEqual(['1', null, ['b', 'c']]);
    });

    test('a throw undoes everything', () => {
      put('a', 'b');
      const failing = () =>
        store.write(tx => {
          tx.put(utf8('a'), utf8('changed'));
          tx.put(utf8('a'), utf8('changed twice'));
          tx.put(utf8('new'), utf8('1'));
          tx.delete(utf8('b'));
          throw new Error('no');
        });
      expect(failing).toThrow('no');
      expect([...store.range({})].map(e => [text(e.key), text(e.value)])).toEqual([
        ['a', 'va'],
        ['b', 'vb'],
      ]);
      put('c');
      expect(keys()).toEqual(['a', 'b', 'c']);
    });

    test('entries may be deleted while they are walked', () => {
      put(...Array.from({ length: 1000 }, (_, i) => `k${1000 + i}`));
      store.write(tx => {
        for (const { key } of tx.range({ start: utf8('k1100') })) tx.delete(key);
      });
      expect(keys()).toHaveLength(100);
    });

    test('the caller may use its bytes again', () => {
      const key = utf8('a');
      const value = utf8('1');
      store.write(tx => {
        tx.put(key, value);
        key.fill(0x62);
        value.fill(0x32);
        tx.put(key, value);
      });
      expect([...store.range({})].map(e => [text(e.key), text(e.value)])).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
    });

    test('flush resolves', async () => {
      put('a');
      await expect(store.flush()).resolves.toBeUndefined();
    });

    describe('long keys', () => {
      const stem = 'x'.repeat(1900);
      const wanted = [
        'a',
        'x'.repeat(1899),
        stem,
        `${stem}a`,
        `${stem}b`,
        `${stem}b${stem}`,
        `${stem}c`,
        'y',
      ];
      const short = (key: string | null) => wanted.indexOf(key ?? '');

      beforeEach(() => put(...wanted.toReversed()));

      test('are ordered among the others', () => {
        expect(keys()).toEqual(wanted);
        expect(keys({ reverse: true })).toEqual(wanted.toReversed());
        for (const key of wanted) expect(text(store.get(utf8(key)))).toBe(`v${key}`);
      });

      test('bound ranges', () => {
        for (const start of wanted) {
          for (const end of wanted) {
            const part = wanted.filter(k => k >= start && k < end);
            expect(keys({ start, end }).map(short)).toEqual(part.map(short));
            expect(keys({ start, end, reverse: true }).map(short)).toEqual(part.toReversed().map(short));
          }
        }
      });

      test('are overwritten and deleted later all together', async () => {
        await store.writeLater([
          { key: utf8(`${stem}b`), value: utf8('new') },
          { key: utf8(`${stem}a`), value: null },
          { key: utf8(`${stem}absent`), value: null },
          { key: utf8(`${stem}late`), value: utf8('late') },
        ]);
        expect(keys()).toEqual([...wanted.filter(k => k !== `${stem}a`), `${stem}late`].sort());
        expect(text(store.get(utf8(`${stem}b`)))).toBe('new');
        await store.writeLater([{ key: utf8(`${stem}late`), value: null }]);
        expect(store.get(utf8(`${stem}late`))).toBeNull();
      });

      test('are overwritten and deleted alone', () => {
        store.write(tx => {
          tx.put(utf8(`${stem}b`), utf8('new'));
          tx.delete(utf8(`${stem}a`));
          tx.delete(utf8(`${stem}absent`));
        });
        expect(keys()).toEqual(wanted.filter(k => k !== `${stem}a`));
        expect(text(store.get(utf8(`${stem}b`)))).toBe('new');
        store.write(tx => {
          for (const key of wanted) tx.delete(utf8(key));
        });
        expect(keys()).toEqual([]);
      });
    });
  });
}
