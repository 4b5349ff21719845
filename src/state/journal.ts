import { deserialize, serialize } from 'node:v8';
import { assert } from '../core/assert.ts';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import type { KeyValueChange, KeyValueReader, KeyValueStore } from '../kv/key-value-store.ts';
import type { ChangedState } from './state-section.ts';
import { Turns } from './turns.ts';

/**
 * The commit of the dataflow (design, law 3): what has changed in operator state, row changes and position of all live
 * views become durable in one transaction of one store. Row changes stay here until every view file has folded them;
 * recovery folds what is left, restores the state and reads the log on from `position`. State is a function of the log,
 * so what happened after the last commit is computed again.
 *
 * Keys: `0/head`, `0/catalog`, `1/<number>` row changes, `3/<version>/<commit>/<chunk>` changes of a version's state.
 */
export interface Checkpoint<Notes> {
  /** all views have seen every record with seq < position */
  readonly position: number;
  /** by view version; those that are missing need no state any more */
  readonly states: ReadonlyMap<string, ChangedState>;
  /** by view version: state that `states` are changes of, of the number before that of this commit */
  readonly firsts?: ReadonlyMap<string, Uint8Array> | undefined;
  /** row changes per view version since the checkpoint before, in order */
  readonly changes: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly notes: Notes;
}

/** State and position of the last commit. */
export interface Committed {
  readonly position: number;
  /** by view version, in the order in which they are applied */
  readonly states: ReadonlyMap<string, readonly Uint8Array[]>;
  /** by view version: the commit from which on `states` begin */
  readonly neededFrom: ReadonlyMap<string, number>;
}

export interface Recovered<Catalog, Notes> extends Committed {
  readonly catalog: Catalog;
  readonly notes: Notes;
  /** changes that a view file may not hold yet; folding them again is harmless */
  readonly unfolded: ReadonlyMap<string, readonly Uint8Array[]>;
}

/** Raise when the layout of the journal or of a state changes: older data is then rebuilt from the log. */
const FORMAT = 3;
/** a value of the store, so that no state needs one huge overflow page run */
const CHUNK = 4 * 1024 * 1024;

const HEAD = key('0/head');
const CATALOG = key('0/catalog');
const FIRST_CHANGES = key('1/');
const AFTER_CHANGES = key('2');
const FIRST_STATE = key('3/');
const AFTER_STATE = key('4');

interface Head<Notes> {
  readonly format: number;
  readonly log: string;
  readonly position: number;
  readonly commit: number;
  readonly neededFrom: ReadonlyMap<string, number>;
  readonly notes: Notes;
}

/** `Catalog` and `Notes` are plain data (structured-cloneable): which view versions are live, what is known of them. */
export class Journal<Catalog, Notes> {
  readonly #store: KeyValueStore;
  readonly #log: string;
  /** keys of states by view version, with their commits */
  readonly #states = new Map<string, { readonly commit: number; readonly key: Uint8Array }[]>();
  /** the catalog that the store holds */
  #catalog: Catalog | null = null;
  #commit = 0;
  #firstChange = 0;
  #changes = 0;

  constructor(store: KeyValueStore, log: string) {
    this.#store = store;
    this.#log = log;
  }

  /** Number of the next commit. The one before it is free: for state that was there before the changes. */
  get next(): number {
    return this.#commit + 2;
  }

  /**
   * One at a time. A catalog that is the same object as the one before is not written again. Views are encoded one by one,
   * with time for others between them.
   */
  async commit(
    catalog: Catalog,
    { position, states, changes, notes, firsts }: Checkpoint<Notes>,
  ): Promise<void> {
    const commit = this.next;
    const turns = new Turns();
    const writes: KeyValueChange[] = [];
    const kept = new Map<string, { readonly commit: number; readonly key: Uint8Array }[]>();
    for (const [version, { bytes, neededFrom }] of states) {
      const before = (this.#states.get(version) ?? []).filter(s => s.commit >= neededFrom);
      const write = (number: number, state: Uint8Array | null | undefined): void => {
        if (state == null || number < neededFrom) return;
        for (let i = 0; i < Math.max(1, Math.ceil(state.length / CHUNK)); i++) {
          const at = stateKey(version, number, i);
          before.push({ commit: number, key: at });
          writes.push({ key: at, value: state.subarray(i * CHUNK, (i + 1) * CHUNK) });
        }
      };
      write(commit - 1, firsts?.get(version));
      if (bytes !== null) {
        write(commit, bytes());
        await turns.pass();
      }
      kept.set(version, before);
    }
    for (const [version, list] of this.#states) {
      const still = new Set(kept.get(version));
      for (const state of list) if (!still.has(state)) writes.push({ key: state.key, value: null });
    }
    let next = this.#changes;
    for (const [version, blocks] of changes) {
      for (const block of blocks)
        writes.push({ key: changesKey(next++), value: serialize([version, block]) });
    }
    if (catalog !== this.#catalog) writes.push({ key: CATALOG, value: serialize(catalog) });
    const neededFrom = new Map([...states].map(([version, state]) => [version, state.neededFrom]));
    const head: Head<Notes> = { format: FORMAT, log: this.#log, position, commit, neededFrom, notes };
    writes.push({ key: HEAD, value: serialize(head) });
    faultPoint('journal.commit');
    await this.#store.writeLater(writes);
    faultPoint('journal.committed');
    this.#commit = commit;
    this.#changes = next;
    this.#catalog = catalog;
    this.#states.clear();
    for (const [version, list] of kept) this.#states.set(version, list);
  }

  /** The view files hold every committed change: drop them here. */
  async folded(): Promise<void> {
    const until = this.#changes;
    const drops: KeyValueChange[] = [];
    for (let i = this.#firstChange; i < until; i++) drops.push({ key: changesKey(i), value: null });
    faultPoint('journal.folded');
    await this.#store.writeLater(drops);
    this.#firstChange = until;
  }

  /**
   * What the last commit left, or null when there is none that this version can read (then views are rebuilt).
   * Throws `data_corrupt` when the journal belongs to another log or stands ahead of it, `state_damaged` when it is not
   * as it was written.
   */
  recover(logEnd: number): Recovered<Catalog, Notes> | null {
    const head = readHead<Notes>(this.#store);
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
    const catalog = this.#store.get(CATALOG);
    if (catalog === null) throw missing('the catalog of the live views');
    const unfolded = new Map<string, Uint8Array[]>();
    for (const { key: at, value } of this.#store.range({ start: FIRST_CHANGES, end: AFTER_CHANGES })) {
      const [view, block] = deserialize(value) as [string, Uint8Array];
      const blocks = unfolded.get(view);
      if (blocks === undefined) unfolded.set(view, [block]);
      else blocks.push(block);
      const number = Number(text(at).slice(2));
      if (unfolded.size === 1 && unfolded.get(view)?.length === 1) this.#firstChange = number;
      this.#changes = number + 1;
    }
    this.#commit = head.commit;
    this.#states.clear();
    for (const { key: at } of this.#store.range({ start: FIRST_STATE, end: AFTER_STATE })) {
      const { version, commit } = placeOf(at);
      const list = this.#states.get(version) ?? [];
      this.#states.set(version, list);
      list.push({ commit, key: at.slice() });
    }
    this.#catalog = deserialize(catalog) as Catalog;
    return { ...this.#committed(head), catalog: this.#catalog, notes: head.notes, unfolded };
  }

  /** State and position of the last commit; there must have been one. */
  committed(): Committed {
    const head = readHead<Notes>(this.#store);
    assert(head !== null, 'nothing was committed yet');
    return this.#committed(head);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #committed({ position, neededFrom }: Head<Notes>): Committed {
    const chunks = new Map<string, Map<number, Uint8Array[]>>();
    for (const { key: at, value } of this.#store.range({ start: FIRST_STATE, end: AFTER_STATE })) {
      const { version, commit, chunk } = placeOf(at);
      const commits = chunks.get(version) ?? new Map<number, Uint8Array[]>();
      chunks.set(version, commits);
      const list = commits.get(commit) ?? [];
      commits.set(commit, list);
      if (list.length !== chunk) throw missing(`a part of the state of ${version}`);
      list.push(value.slice());
    }
    const states = new Map<string, readonly Uint8Array[]>();
    for (const [version, from] of neededFrom) {
      const commits = [...(chunks.get(version) ?? [])].filter(([commit]) => commit >= from);
      if (commits[0]?.[0] !== from) throw missing(`the state of ${version}`);
      states.set(
        version,
        commits.map(([, list]) => joined(list)),
      );
    }
    return { position, states, neededFrom };
  }

  #clear(): void {
    faultPoint('journal.clear');
    this.#store.write(tx => {
      for (const { key: at } of [...tx.range({})]) tx.delete(at);
    });
  }
}

function readHead<Notes>(store: KeyValueReader): Head<Notes> | null {
  const value = store.get(HEAD);
  return value === null ? null : (deserialize(value) as Head<Notes>);
}

function missing(what: string): MillraceError {
  return new MillraceError('state_damaged', `${what} is missing in the journal`, {
    hint: 'it is made anew from the log; the disk may be failing',
  });
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function key(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function stateKey(version: string, commit: number, chunk: number): Uint8Array {
  return key(`3/${version}/${commit.toString().padStart(12, '0')}/${chunk.toString().padStart(6, '0')}`);
}

function placeOf(at: Uint8Array): { version: string; commit: number; chunk: number } {
  const parts = text(at).split('/');
  return {
    version: parts.slice(1, -2).join('/'),
    commit: Number(parts.at(-2)),
    chunk: Number(parts.at(-1)),
  };
}

function changesKey(i: number): Uint8Array {
  return key(`1/${i.toString().padStart(12, '0')}`);
}
