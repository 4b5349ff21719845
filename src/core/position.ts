import { MillraceError } from './errors.ts';

/**
 * A position is the sequence number of the next record: a view at position P has seen every record with seq < P.
 * Its text form is an opaque URL-safe token that also names the log, so that a token of another log is refused.
 */
export interface Position {
  readonly log: string;
  readonly seq: number;
}

const TOKEN = /^([A-Za-z0-9_]{1,32})-([0-9a-z]{1,11})$/;

export function positionToken(position: Position): string {
  return `${position.log}-${position.seq.toString(36)}`;
}

/** Reads a token. Throws `position_malformed` when the text is none. */
export function parsePosition(token: string): Position {
  const match = TOKEN.exec(token);
  const log = match?.[1];
  const seq = match?.[2] === undefined ? Number.NaN : Number.parseInt(match[2], 36);
  if (log === undefined || !Number.isSafeInteger(seq)) {
    throw new MillraceError('position_malformed', `"${token.slice(0, 60)}" is not a position`, {
      hint: 'pass a position exactly as an earlier answer gave it',
    });
  }
  return { log, seq };
}
