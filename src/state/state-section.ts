import type { Bits } from '../core/batch.ts';

/**
 * Values of some slots of a column, in their order: typed arrays that are nobody else's. What is not in a typed array is
 * serialized at once, for it may be changed in its place later.
 */
export type ColumnSection =
  /** bit k of `nulls`: the k-th slot holds NULL */
  | { readonly values: Int32Array | Float64Array | BigInt64Array; readonly nulls: Bits | null }
  /** where the bytes of each text end, which begin where those before end; -1: NULL */
  | { readonly texts: Uint8Array; readonly ends: Int32Array }
  | { readonly packed: Uint8Array };

/** What some slots of a table held at one moment: structured-cloneable. */
export interface StateSection {
  /** one more than the largest slot given then */
  readonly high: number;
  /** ascending; null: all below `high` */
  readonly slots: Int32Array | null;
  readonly prefix: Float64Array;
  /** where the bytes of each key end in `keys`, which begin where those before end; -1: the slot has no key */
  readonly keyEnd: Int32Array;
  readonly keys: Uint8Array;
  readonly columns: readonly ColumnSection[];
}

/** The state of a table: what a later section says of a slot counts. */
export interface StateTableState {
  readonly sections: readonly StateSection[];
  /** instead of sections: the table itself, see {@link MOVED} */
  readonly moved?: unknown;
}

/**
 * Asks tables for what has changed since they were asked last. Each gives beside it some slots in turn, so that all
 * slots come by in a number of commits and older ones are needed no longer: see `neededFrom`.
 */
export class ChangedPart {
  /** number of the commit that this is for; they count up */
  readonly commit: number;
  readonly #inTurn: number | undefined;
  #neededFrom: number;
  #given = false;

  constructor(commit: number, inTurn?: number) {
    this.commit = commit;
    this.#inTurn = inTurn;
    this.#neededFrom = commit;
  }

  /** How many slots a table gives in turn, when so many have changed: what is kept of changes stays in proportion. */
  slotsInTurn(changed: number): number {
    return this.#inTurn ?? Math.max(512, changed * 2);
  }

  /** No table has anything to give. */
  get isEmpty(): boolean {
    return !this.#given;
  }

  gives(): void {
    this.#given = true;
  }

  /** The first commit without which some slot would be missing. */
  get neededFrom(): number {
    return this.#neededFrom;
  }

  needs(commit: number): void {
    if (commit < this.#neededFrom) this.#neededFrom = commit;
  }
}

/** Asks for a state that another operator of the same node takes over: tables are handed over as they are, not copied. */
export const MOVED = new ChangedPart(-1);

/** What has changed in the state of a view at one moment, apart from what happens to the state afterwards. */
export interface ChangedState {
  /** The bytes of it, made when they are asked for; null: nothing has changed. */
  readonly bytes: (() => Uint8Array) | null;
  /** the first commit whose changes of this view are still needed */
  readonly neededFrom: number;
}

/** An operator's state brought on by what has changed in it: tables add up, everything else is replaced. */
export function changedState(before: unknown, changed: unknown): unknown {
  if (isTable(before) && isTable(changed)) return { sections: [...before.sections, ...changed.sections] };
  if (!isRecord(before) || !isRecord(changed)) return changed;
  return Object.fromEntries(
    Object.entries(changed).map(([name, value]) => [name, changedState(before[name], value)]),
  );
}

/** A state that does not change with the operator that gave it: sections of tables are so already, the rest is copied. */
export function detachedState(state: unknown): unknown {
  if (isTable(state)) return state;
  if (isRecord(state))
    return Object.fromEntries(Object.entries(state).map(([name, part]) => [name, detachedState(part)]));
  return typeof state === 'object' ? structuredClone(state) : state;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isTable(value: unknown): value is StateTableState {
  return isRecord(value) && Array.isArray(value.sections);
}
