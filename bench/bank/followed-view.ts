import type { SeenRow } from './faults.ts';

/** The rows of a view as a subscriber of its change feed has them, who resumes behind the last event that was read. */
export class FollowedView {
  readonly view: string;
  readonly #read: (row: Readonly<Record<string, unknown>>) => SeenRow;
  readonly #rows = new Map<string, SeenRow>();
  #last: string | null = null;

  constructor(view: string, read: (row: Readonly<Record<string, unknown>>) => SeenRow) {
    this.view = view;
    this.#read = read;
  }

  rows(): readonly SeenRow[] {
    return [...this.#rows.values()];
  }

  /** Follows until the stream ends. `at`: the rows stand at this position now. */
  async follow(url: string, signal: AbortSignal, at: (position: string) => void): Promise<void> {
    const answer = await fetch(`${url}/views/${this.view}/changes`, {
      signal,
      headers: this.#last === null ? {} : { 'last-event-id': this.#last },
    });
    if (answer.status === 409) this.#last = null;
    if (!answer.ok || answer.body === null) {
      const problem = await answer.text();
      if (answer.status === 409 || answer.status === 503) return;
      throw new Error(`changes of ${this.view}: ${problem}`);
    }
    if (this.#last === null) this.#rows.clear();
    let text = '';
    for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        this.#take(text.slice(0, end), at);
        text = text.slice(end + 2);
      }
    }
  }

  #take(block: string, at: (position: string) => void): void {
    const field = (name: string): string | undefined =>
      block
        .split('\n')
        .find(line => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const data = field('data');
    if (data === undefined) return;
    const event = JSON.parse(data) as FeedEvent;
    if (field('event') === 'reset') this.#rows.clear();
    for (const row of event.rows ?? []) this.#put(row);
    if (event.row !== undefined && event.op === 'delete') this.#rows.delete(keyOf(event.row));
    else if (event.row !== undefined) this.#put(event.row);
    const id = field('id');
    if (id === undefined) return;
    this.#last = id;
    at(id);
  }

  #put(row: Readonly<Record<string, unknown>>): void {
    this.#rows.set(keyOf(row), this.#read(row));
  }
}

interface FeedEvent {
  readonly op?: 'upsert' | 'delete' | 'insert';
  readonly row?: Readonly<Record<string, unknown>>;
  readonly rows?: readonly Readonly<Record<string, unknown>>[];
}

/** Accounts name rows; a view of one row has no key. */
function keyOf(row: Readonly<Record<string, unknown>>): string {
  return String(row.account ?? '');
}
