/** Why bytes could not be read as a column. Thrown and caught inside `decode/` only. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export function fail(message: string): never {
  throw new DecodeError(message);
}

/** Text of the user inside a message: cut, so that a ledger entry stays small. */
export function shown(text: string): string {
  return text.length <= 40 ? `"${text}"` : `"${text.slice(0, 40)}..."`;
}
