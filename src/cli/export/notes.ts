/** What a reader of the printed query has to know: each thing once, in the order of the query. */
export class Notes {
  readonly #notes = new Set<string>();

  add(note: string): void {
    this.#notes.add(note);
  }

  list(): readonly string[] {
    return [...this.#notes];
  }
}
