const NAME = 2 * Int32Array.BYTES_PER_ELEMENT;
const LONGEST_NAME = 400;

/**
 * What a worker is at, through shared memory: one that is held up inside a view can say nothing else. Each step of a view
 * is a beat.
 */
export class WorkBeat {
  /** beats so far, bytes of the name (0: between steps) */
  readonly #cells: Int32Array;
  readonly #name: Uint8Array;
  readonly #encoded = new Map<string, Uint8Array>();

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer, 0, 2);
    this.#name = new Uint8Array(buffer, NAME);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(NAME + LONGEST_NAME);
  }

  begin(view: string): void {
    let name = this.#encoded.get(view);
    if (name === undefined) {
      name = new TextEncoder().encode(view).subarray(0, LONGEST_NAME);
      this.#encoded.set(view, name);
    }
    this.#name.set(name);
    this.#beat(name.length);
  }

  end(): void {
    this.#beat(0);
  }

  /** The view at work, with a number that is another one in the next step; null between steps. */
  look(): { readonly view: string; readonly beat: number } | null {
    const beat = Atomics.load(this.#cells, 0);
    const length = Atomics.load(this.#cells, 1);
    return length === 0 ? null : { view: new TextDecoder().decode(this.#name.slice(0, length)), beat };
  }

  #beat(length: number): void {
    Atomics.store(this.#cells, 1, length);
    Atomics.add(this.#cells, 0, 1);
  }
}
