import { deserialize, serialize } from 'node:v8';
import { assert } from '../core/assert.ts';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import type { KeyValueReader, KeyValueStore } from '../kv/key-value-store.ts';

/**
 * The commit of the dataflow (design, law 3): operator state, row changes and position of all live views become durable
 * in one transaction of one store. Row changes stay here until every view file has folded them; recovery folds what is
 * left, restores the state and reads the log on from `position`. State is a function of the log, so what happened after
 * the last commit is computed again.
 */
export interface Checkpoint {
  /** all views have seen every record with seq < position */
  readonly position: number;
  /** operator state of all live views, as the engine made it */
  readonly snapshot: Uint8Array;
  /** row changes per view version since the checkpoint before, in order */
  readonly changes: ReadonlyMap<string, readonly Uint8Array[]>;
}

export interface Recovered<Catalog> {
  readonly catalog: Catalog;
  readonly position: number;
  readonly snapshot: Uint8Array;
  /** changes that a view file may not hold yet; folding them again is harmless */
  readonly unfolded: ReadonlyMap<string, readonly Uint8Array[]>;
}

/** Raise when the layout of the journal or of a state snapshot changes: older data is then rebuilt from the log. */
const FORMAT = 1;
/** a value of the store, so that no snapshot needs one huge overflow page run */
const CHUNK = 4 * 1024 * 1024;

const HEAD = new TextEncoder().encode('0/head');
const FIRST_CHANGES = new TextEncoder().encode('1/');
const AFTER_CHANGES = new TextEncoder().encode('2');

interface Head<Catalog> {
  readonly format: number;
  readonly log: string;
  readonly position: number;
  readonly chunks: number;
  readonly catalog: Catalog;
}

/** `Catalog` is plain data (structured-cloneable): which view versions are live. */
export class Journal<Catalog> {
  readonly #store: KeyValueStore;
  readonly #log: string;
  #changes = 0;

  constructor(store: KeyValueStore, log: string) {
    this.#store = store;
    this.#log = log;
  }

  commit(catalog: Catalog, checkpoint: Checkpoint): void {
    faultPoint('journal.commit');
    this.#store.write(tx => {
      const before = readHead<Catalog>(tx);
      const chunks = Math.ceil(checkpoint.snapshot.length / CHUNK);
      for (let i = 0; i < chunks; i++) {
        tx.put(chunkKey(i), checkpoint.snapshot.slice(i * CHUNK, (i + 1) * CHUNK));
      }
      for (let i = chunks; i < (before?.chunks ?? 0); i++) tx.delete(chunkKey(i));
      for (const [view, blocks] of checkpoint.changes) {
        for (const block of blocks) tx.put(changesKey(this.#changes++), serialize([view, block]));
      }
      const head: Head<Catalog> = {
        format: FORMAT,
        log: this.#log,
        position: checkpoint.position,
        chunks,
        catalog,
      };
      tx.put(HEAD, serialize(head));
    });
    faultPoint('journal.committed');
  }

  /** The view files hold every committed change: drop them here. */
  folded(): void {
    faultPoint('journal.folded');
    this.#store.write(tx => {
      for (const { key } of [...tx.range({ start: FIRST_CHANGES, end: AFTER_CHANGES })]) tx.delete(key);
    });
    this.#changes = 0;
  }

  /**
   * What the last commit left, or null when there is none that this version can read (then views are rebuilt).
   * Throws `data_corrupt` when the journal belongs to another log or stands ahead of it, `state_damaged` when it is not
   * as it was written.
   */
  recover(logEnd: number): Recovered<Catalog> | null {
    const head = readHead<Catalog>(this.#store);
    if (head === null) return null;
    if (head.format !== FORMAT) {
      this.#clear();
      return null;
    }
    if (head.log !== this.#log) {
      throw new MillraceError('data_corrupt', `the state belongs to log ${head.log}, not to ${this.#log}`, {
        hint: 'the folders log/ and state/ of one data folder belong together; remove state/ to rebuild every view',
      });
    }
    if (head.position > logEnd) {
      throw new MillraceError(
        'data_corrupt',
        `the state stands at ${head.position}, ahead of the log, which ends at ${logEnd}`,
        {
          hint: 'the log has lost records; restore it, or remove state/ to rebuild every view from what is left',
        },
      );
    }
    const snapshot = this.#readSnapshot(head.chunks);
    const unfolded = new Map<string, Uint8Array[]>();
    for (const { value } of this.#store.range({ start: FIRST_CHANGES, end: AFTER_CHANGES })) {
      const [view, block] = deserialize(value) as [string, Uint8Array];
      const blocks = unfolded.get(view);
      if (blocks === undefined) unfolded.set(view, [block]);
      else blocks.push(block);
      this.#changes++;
    }
    return { catalog: head.catalog, position: head.position, snapshot, unfolded };
  }

  /** State and position of the last commit; there must have been one. */
  committed(): { readonly position: number; readonly snapshot: Uint8Array } {
    const head = readHead<Catalog>(this.#store);
    assert(head !== null, 'nothing was committed yet');
    return { position: head.position, snapshot: this.#readSnapshot(head.chunks) };
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #readSnapshot(count: number): Uint8Array {
    const chunks: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const chunk = this.#store.get(chunkKey(i));
      if (chunk === null) {
        throw new MillraceError('state_damaged', `chunk ${i} of the state snapshot is missing`, {
          hint: 'it is made anew from the log; the disk may be failing',
        });
      }
      chunks.push(chunk);
    }
    const snapshot = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      snapshot.set(chunk, at);
      at += chunk.length;
    }
    return snapshot;
  }

  #clear(): void {
    faultPoint('journal.clear');
    this.#store.write(tx => {
      for (const { key } of [...tx.range({})]) tx.delete(key);
    });
  }
}

function readHead<Catalog>(store: KeyValueReader): Head<Catalog> | null {
  const value = store.get(HEAD);
  return value === null ? null : (deserialize(value) as Head<Catalog>);
}

function chunkKey(i: number): Uint8Array {
  return new TextEncoder().encode(`3/${i.toString().padStart(8, '0')}`);
}

function changesKey(i: number): Uint8Array {
  return new TextEncoder().encode(`1/${i.toString().padStart(12, '0')}`);
}
