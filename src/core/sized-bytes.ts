/** longer ones are made each time */
const LONGEST = 512;

/** Memory for bytes that are needed for a moment only: of each length one array, which the next use of that length takes. */
export class SizedBytes {
  readonly #byLength = new Array<Uint8Array<ArrayBuffer> | null>(LONGEST + 1).fill(null);

  of(length: number): Uint8Array<ArrayBuffer> {
    if (length > LONGEST) return new Uint8Array(length);
    const known = this.#byLength[length] ?? null;
    if (known !== null) return known;
    const made = new Uint8Array(length);
    this.#byLength[length] = made;
    return made;
  }
}
