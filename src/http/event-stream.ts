import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { OpenStream, Subscriptions } from './subscriptions.ts';

/** ms between signs of life */
const HEARTBEAT = 15_000;
/** ms that a client has to read what was sent to it before the end */
const GRACE = 5000;

export interface ServerSentEvent {
  readonly event: string;
  /** JSON text */
  readonly data: string;
  /** Where a client that has read this event can resume; empty: nowhere; absent: where it could before. */
  readonly id?: string | undefined;
}

export interface EventStreamOptions {
  readonly subscriptions: Subscriptions;
  /** bytes that may wait for the client before it is dropped */
  readonly backlog: number;
  /** where a client that has read all events so far can resume; null: nowhere */
  readonly sent: () => string | null;
  /** as `sent`, asked between events: what moved on without events counts too */
  readonly reached: () => string | null;
}

/**
 * One answer of server-sent events. What the client has not read waits here, bounded: a client that falls further
 * behind is told from where it can resume, and left.
 */
export class EventStream implements OpenStream {
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #closed: (() => void)[] = [];
  #queue: Buffer[] = [];
  #queued = 0;
  #allowance = 0;
  #waiting: (() => void)[] = [];
  #open = true;

  /** Takes over the answer; from here on errors can only be told as events. */
  constructor(reply: FastifyReply, options: EventStreamOptions) {
    options.subscriptions.check();
    const headers = reply.getHeaders();
    reply.hijack();
    this.#response = reply.raw;
    this.#options = options;
    this.#response.writeHead(200, {
      ...(headers as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    this.#response.flushHeaders();
    this.#response.on('drain', () => this.#pump());
    this.#response.on('close', () => this.#close());
    this.#response.on('error', () => this.#close());
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT).unref();
    options.subscriptions.add(this);
    if (this.#response.destroyed) this.#close();
  }

  get open(): boolean {
    return this.#open;
  }

  /** bytes that wait for the client */
  get backlog(): number {
    return this.#queued + this.#response.writableLength;
  }

  onClose(listener: () => void): void {
    if (this.#open) this.#closed.push(listener);
    else listener();
  }

  /** Sends events together. A client that is too far behind is dropped instead. */
  send(events: readonly ServerSentEvent[]): void {
    if (!this.#open || events.length === 0) return;
    if (this.backlog > this.#options.backlog + this.#allowance) {
      this.drop();
      return;
    }
    this.#push(events.map(eventText).join(''));
  }

  /** Sends what a client asked for at once, however much: it does not count against its backlog. */
  sendOwed(events: readonly ServerSentEvent[]): void {
    const text = events.map(eventText).join('');
    this.#allowance += Buffer.byteLength(text);
    this.#push(text);
  }

  /** Resolves when everything is on its way to the client, or the stream is closed. */
  idle(): Promise<void> {
    if (!this.#open || (this.#queue.length === 0 && !this.#response.writableNeedDrain)) {
      return Promise.resolve();
    }
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** Leaves a client that does not read fast enough. */
  drop(): void {
    if (!this.#open) return;
    this.#options.subscriptions.dropped++;
    const position = this.#options.sent();
    const data = JSON.stringify({ reason: 'the client reads too slowly', position });
    this.#push(eventText({ event: 'dropped', data }));
    this.end();
  }

  /** Ends the stream after what is queued; a client that does not read it within a grace is left. */
  end(): void {
    if (!this.#open) return;
    const response = this.#response;
    for (const chunk of this.#queue) response.write(chunk);
    response.end();
    this.#close();
    const timer = setTimeout(() => response.destroy(), GRACE).unref();
    response.once('close', () => clearTimeout(timer));
  }

  #beat(): void {
    const position = this.#options.reached();
    this.#push(position === null ? ': heartbeat\n\n' : `: heartbeat\nid: ${position}\n\n`);
  }

  #push(text: string): void {
    if (!this.#open) return;
    const chunk = Buffer.from(text, 'utf8');
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    this.#pump();
  }

  #pump(): void {
    while (this.#queue.length > 0 && !this.#response.writableNeedDrain) {
      const chunk = this.#queue.shift() as Buffer;
      this.#queued -= chunk.length;
      this.#response.write(chunk);
    }
    if (this.#queue.length === 0 && !this.#response.writableNeedDrain) {
      this.#allowance = 0;
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#heartbeat);
    this.#queue = [];
    this.#queued = 0;
    this.#options.subscriptions.remove(this);
    for (const resolve of this.#waiting.splice(0)) resolve();
    for (const listener of this.#closed.splice(0)) listener();
  }
}

function eventText({ event, data, id }: ServerSentEvent): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `${head}event: ${event}\ndata: ${data}\n\n`;
}
