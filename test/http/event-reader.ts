import { get, type IncomingMessage } from 'node:http';

export interface ReadEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A client of server-sent events that reads one event when it is asked to. */
export class EventReader {
  readonly status: number;
  readonly response: IncomingMessage;
  #text = '';
  #ended = false;
  #wake: (() => void)[] = [];

  private constructor(response: IncomingMessage) {
    this.response = response;
    this.status = response.statusCode ?? 0;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      this.#text += chunk;
      for (const wake of this.#wake.splice(0)) wake();
    });
    const end = () => {
      this.#ended = true;
      for (const wake of this.#wake.splice(0)) wake();
    };
    response.on('end', end).on('close', end).on('error', end);
  }

  static connect(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      get(url, { headers, agent: false }, response => resolve(new EventReader(response))).on('error', reject);
    });
  }

  /** The next event; null at the end of the stream. */
  async next(): Promise<ReadEvent | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const event = parse(block);
        if (event !== null) return event;
      } else if (this.#ended) return null;
      else await new Promise<void>(resolve => this.#wake.push(resolve));
    }
  }

  async take(n: number): Promise<ReadEvent[]> {
    const events: ReadEvent[] = [];
    while (events.length < n) {
      const event = await this.next();
      if (event === null) break;
      events.push(event);
    }
    return events;
  }

  /** All that is left, as text. */
  async text(): Promise<string> {
    while (!this.#ended) await new Promise<void>(resolve => this.#wake.push(resolve));
    return this.#text;
  }

  pause(): void {
    this.response.pause();
  }

  resume(): void {
    this.response.resume();
  }

  close(): void {
    this.response.destroy();
  }
}

function parse(block: string): ReadEvent | null {
  const field = (name: string) =>
    block
      .split('\n')
      .find(l => l.startsWith(`${name}: `) || l === `${name}:`)
      ?.slice(name.length + 2);
  const data = field('data');
  if (data === undefined) return null;
  return {
    id: field('id'),
    event: field('event') ?? 'message',
    data: JSON.parse(data) as Record<string, unknown>,
  };
}
