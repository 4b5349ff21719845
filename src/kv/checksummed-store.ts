import { crc32 } from 'node:zlib';
import { MillraceError } from '../core/errors.ts';
import { SizedBytes } from '../core/sized-bytes.ts';
import type {
  KeyRange,
  KeyValueEntry,
  KeyValueReader,
  KeyValueStore,
  KeyValueWriter,
} from './key-value-store.ts';
import { type LmdbStoreOptions, openLmdbStore } from './lmdb-store.ts';

const LENGTH = 4;

/** A store in a folder, of what can be computed again: see {@link checksummed}. */
export function openStateStore(options: LmdbStoreOptions): KeyValueStore {
  return checksummed(openLmdbStore(options), options.path);
}

/**
 * A store whose values carry a checksum of key and value: what was changed on the disk is refused when it is read, with
 * `state_damaged`. `path` names the store in that error. Damage that loses a whole entry is not noticed.
 */
export function checksummed(store: KeyValueStore, path: string): KeyValueStore {
  const memory = new SizedBytes();
  return {
    ...checkedReader(store, path),
    write: work => store.write(tx => work(checkedWriter(tx, path, memory))),
    writeLater: changes =>
      store.writeLater(
        changes.map(({ key, value }) => ({ key, value: value === null ? null : sealed(key, value, null) })),
      ),
    flush: () => store.flush(),
    close: () => store.close(),
  };
}

function checkedReader(reader: KeyValueReader, path: string): KeyValueReader {
  return {
    get(key) {
      const stored = reader.get(key);
      return stored === null ? null : opened(key, stored, path);
    },
    *range(range: KeyRange): Generator<KeyValueEntry> {
      for (const { key, value } of reader.range(range)) yield { key, value: opened(key, value, path) };
    },
  };
}

function checkedWriter(writer: KeyValueWriter, path: string, memory: SizedBytes): KeyValueWriter {
  return {
    ...checkedReader(writer, path),
    put: (key, value) => writer.put(key, sealed(key, value, memory)),
    delete: key => writer.delete(key),
  };
}

/** `memory`: for what is only needed until the next one of its length; null: it must stay. */
function sealed(key: Uint8Array, value: Uint8Array, memory: SizedBytes | null): Uint8Array {
  const { length } = value;
  // from Node's pool: a buffer of its own would cost more than all the rest
  const stored = memory?.of(length + LENGTH) ?? Buffer.allocUnsafe(length + LENGTH);
  stored.set(value);
  const sum = crc32(value, crc32(key));
  stored[length] = sum;
  stored[length + 1] = sum >>> 8;
  stored[length + 2] = sum >>> 16;
  stored[length + 3] = sum >>> 24;
  return stored;
}

function opened(key: Uint8Array, stored: Uint8Array, path: string): Uint8Array {
  const length = stored.length - LENGTH;
  if (length >= 0) {
    const value = stored.subarray(0, length);
    if (sumAt(stored, length) === crc32(value, crc32(key))) return value;
  }
  const at = Buffer.from(key.subarray(0, 40)).toString('hex');
  throw new MillraceError('state_damaged', `the store in "${path}" is damaged at key ${at}`, {
    hint: 'it is made anew from the log; the disk may be failing',
    data: { file: path, key: at },
  });
}

function sumAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
