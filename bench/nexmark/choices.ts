const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** Random choices that are the same for the same seed. */
export class Choices {
  #state: number;
  /** random letters, of which fillers are parts */
  readonly #letters: string;

  constructor(seed: number) {
    this.#state = seed;
    this.#letters = Array.from({ length: 16_384 }, () => LETTERS[this.below(LETTERS.length)]).join('');
  }

  /** from 0 up to 1, without it: mulberry32 */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** a whole number from 0 up to `limit`, without it */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  of(items: readonly string[]): string {
    return items[this.below(items.length)] as string;
  }

  /** Three letters or more, up to `longest` without it, with a gap after each thirteenth on average. */
  word(longest: number, gap = ' '): string {
    const length = 3 + this.below(longest - 3);
    let text = '';
    for (let i = 0; i < length; i++) text += this.below(13) === 0 ? gap : LETTERS[this.below(26)];
    return text.trim();
  }

  /** Letters of about this length: a fifth more or less. */
  filler(length: number): string {
    if (length < 0) return '';
    const spread = Math.round(length * 0.2);
    const exact = length - spread + (spread === 0 ? 0 : this.below(2 * spread));
    const from = this.below(this.#letters.length - exact);
    return this.#letters.slice(from, from + exact);
  }
}
