import type { Row } from './value.ts';

/** What a change does to a relation; the numbers are stored in `Batch.op`. */
export const Op = {
  /** one more row (streams, and the + side of a retract relation) */
  ADD: 0,
  /** one row less: exactly the row given (the - side of a retract relation) */
  RETRACT: 1,
  /** the row of this key is now this; what it was is not known here */
  UPSERT: 2,
  /** the key has no row any more; only key columns are filled */
  DELETE: 3,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

/**
 * One change of a relation as the reference fold passes it. Changes are ordered by (seq, index).
 * `noValue`: a stream record whose value was null ("no value" differs from "all columns NULL").
 */
export interface Change {
  readonly op: Op;
  readonly seq: number;
  /** event time, ms */
  readonly rowtime: number;
  readonly row: Row;
  readonly noValue: boolean;
}
