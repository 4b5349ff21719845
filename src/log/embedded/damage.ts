import { MillraceError } from '../../core/errors.ts';

/** Where stored bytes are not what was written, and which records cannot be read for it. */
export interface Damage {
  /** relative to the log's folder */
  readonly file: string;
  /** of the damage within the file; null in the index, which has no offsets of its own */
  readonly offset: number | null;
  /** bytes of the block */
  readonly length: number;
  /** sequences [from, to) that cannot be read */
  readonly from: number;
  readonly to: number;
  readonly what: string;
}

export const INDEX_FILE = 'index.lmdb';

export function damageText({ file, offset, from, to, what }: Damage): string {
  const records = to - from === 1 ? `record ${from}` : `records ${from} to ${to - 1}`;
  const rest = `${what}; ${records} cannot be read`;
  return offset === null
    ? `the log file "${file}" is damaged: ${rest}`
    : `the log file "${file}" is damaged at byte ${offset}: ${rest}`;
}

/** The refusal of a range that is damaged; the rest of the log stays readable. */
export function damaged(damage: Damage): MillraceError {
  const { file, offset, length, from, to } = damage;
  return new MillraceError('data_corrupt', damageText(damage), {
    hint: 'restore the data folder from a backup; "millrace log verify" lists all that is damaged',
    data: { file, offset, length, block: from, from, to },
  });
}
