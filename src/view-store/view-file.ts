import { assert } from '../core/assert.ts';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import { SizedBytes } from '../core/sized-bytes.ts';
import { openStateStore } from '../kv/checksummed-store.ts';
import type {
  KeyRange,
  KeyValueChange,
  KeyValueEntry,
  KeyValueReader,
  KeyValueStore,
  KeyValueWriter,
} from '../kv/key-value-store.ts';
import { changeEnd, changeKey, hasRow, keyEnd, readRowChanges } from './row-changes.ts';

const META = Uint8Array.of(0);
const ROW = 1;
const AFTER_ROWS = Uint8Array.of(ROW + 1);
/** rows that go to the file at a time, when others have to wait meanwhile */
const PIECE = 250;

/**
 * The file of one view version: its folded rows and the position they stand at (`stamp`), in one store.
 * Key 00 is the stamp, keys 01... are rows.
 */
export class ViewFile {
  readonly #store: KeyValueStore;
  /** of the row that is just put */
  readonly #keys = new SizedBytes();
  readonly #values = new SizedBytes();

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /** the rows hold every change of records with seq < stamp; null for a file that was never folded into */
  stamp(): number | null {
    return readStamp(this.#store);
  }

  /**
   * The same in pieces, with time for others between them; the stamp moves with the last one. Until then the rows are
   * of no one position: readers must have all of the changes from elsewhere.
   */
  async foldLater(changes: readonly Uint8Array[], stamp: number): Promise<void> {
    let piece: KeyValueChange[] = [];
    for (const bytes of changes) {
      for (const { key, value } of readRowChanges(bytes)) {
        piece.push({ key: rowKey(key), value });
        if (piece.length < PIECE) continue;
        faultPoint('view.fold');
        await this.#store.writeLater(piece);
        piece = [];
      }
    }
    piece.push({ key: META, value: stampBytes(stamp) });
    faultPoint('view.fold');
    await this.#store.writeLater(piece);
  }

  /** Applies changes and moves the stamp, atomically. Changes at or below the stamp may be applied again. */
  fold(changes: readonly Uint8Array[], stamp: number): void {
    faultPoint('view.fold');
    this.#store.write(tx => {
      for (const bytes of changes) {
        this.#apply(tx, bytes);
      }
      tx.put(META, stampBytes(stamp));
    });
  }

  /** Without an object for each change: a build folds millions. */
  #apply(tx: KeyValueWriter, changes: Uint8Array): void {
    const view = new DataView(changes.buffer, changes.byteOffset, changes.byteLength);
    for (let at = 0; at < changes.length; ) {
      const start = changeKey(at);
      const end = keyEnd(view, at);
      const next = changeEnd(view, at);
      assert(next <= changes.length, 'row changes end inside a row');
      const key = this.#keys.of(end - start + 1);
      key[0] = ROW;
      for (let i = start; i < end; i++) key[i - start + 1] = changes[i] as number;
      if (hasRow(view, at)) {
        const value = this.#values.of(next - end);
        for (let i = end; i < next; i++) value[i - end] = changes[i] as number;
        tx.put(key, value);
      } else tx.delete(key);
      at = next;
    }
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

export function openViewFile(path: string): ViewFile {
  return new ViewFile(openStateStore({ path }));
}

/** The folded rows, for the serving thread; the worker goes on writing to the same file. */
export interface ViewFileReader extends KeyValueReader {
  close(): Promise<void>;
}

/** `onDamage` hears of a row that is not as it was written, before the reader does. */
export function openViewFileReader(
  path: string,
  onDamage: (error: Error) => void = () => {},
): ViewFileReader {
  const store = openStateStore({ path, readOnly: true });
  const rows = viewFileRows(store);
  const tell = (error: unknown): never => {
    if (error instanceof MillraceError && error.code === 'state_damaged') onDamage(error);
    throw error;
  };
  return {
    get(key) {
      try {
        return rows.get(key);
      } catch (error) {
        return tell(error);
      }
    },
    *range(range) {
      try {
        yield* rows.range(range);
      } catch (error) {
        tell(error);
      }
    },
    close: () => store.close(),
  };
}

export function viewFileRows(store: KeyValueReader): KeyValueReader {
  return {
    get: key => store.get(rowKey(key)),
    *range(range: KeyRange): Generator<KeyValueEntry> {
      const bounds: KeyRange = {
        ...range,
        start: rowKey(range.start ?? new Uint8Array(0)),
        end: range.end === undefined ? AFTER_ROWS : rowKey(range.end),
      };
      for (const { key, value } of store.range(bounds)) yield { key: key.subarray(1), value };
    },
  };
}

function stampBytes(stamp: number): Uint8Array {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setFloat64(0, stamp, true);
  return value;
}

function readStamp(store: KeyValueReader): number | null {
  const value = store.get(META);
  return value === null ? null : new DataView(value.buffer, value.byteOffset, 8).getFloat64(0, true);
}

function rowKey(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 1);
  out[0] = ROW;
  out.set(key, 1);
  return out;
}
