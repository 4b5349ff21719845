import { randomBytes } from 'node:crypto';

/** The id of a new log, part of every position token: 12 letters and digits. */
export function randomLogId(): string {
  return randomBytes(6).toString('hex');
}
