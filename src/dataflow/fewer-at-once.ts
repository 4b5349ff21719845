import { TooManyChanges } from '../operators/change-builder.ts';
import { ViewFailure } from './view-failure.ts';

/** The failure when an epoch changed too many rows for an operator: it says nothing of an epoch with fewer records. */
export function tooManyChanges(error: unknown): TooManyChanges | null {
  return error instanceof ViewFailure && error.cause instanceof TooManyChanges ? error.cause : null;
}

/** The number of records to try next. */
export function fewer(records: number): number {
  return Math.max(1, records >> 2);
}

/**
 * Work that goes through a piece of the log and may begin again: epochs cut where they were not cut before may change
 * too many rows at once, and are then made smaller.
 */
export function withFewerAtOnce<T>(most: number, work: (recordsPerEpoch: number) => T): T {
  for (let records = most; ; records = fewer(records)) {
    try {
      return work(records);
    } catch (error) {
      if (records === 1 || tooManyChanges(error) === null) throw error;
    }
  }
}
