import type { WebSocket } from 'ws';
import type { OpenStream, Subscriptions } from './subscriptions.ts';

/** ms between signs of life; a client that gives none back until the next is gone */
const HEARTBEAT = 30_000;
/** ms that a client has to take its leave */
const GRACE = 5000;
/** codes of RFC 6455 and its registry */
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;

export interface SocketStreamOptions {
  readonly subscriptions: Subscriptions;
  /** bytes that may wait for the client before it is dropped */
  readonly backlog: number;
  /** where a client that has read everything so far can resume */
  readonly sent: () => string | null;
}

/** One WebSocket that things are pushed to. What the client sends is not read. */
export class SocketStream implements OpenStream {
  readonly #socket: WebSocket;
  readonly #options: SocketStreamOptions;
  readonly #heartbeat: NodeJS.Timeout;
  #alive = true;
  #allowance = 0;
  #open = true;

  constructor(socket: WebSocket, options: SocketStreamOptions) {
    this.#socket = socket;
    this.#options = options;
    options.subscriptions.add(this);
    socket.on('pong', () => {
      this.#alive = true;
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#close());
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT).unref();
  }

  onClose(listener: () => void): void {
    this.#socket.on('close', listener);
  }

  send(messages: readonly string[]): void {
    if (!this.#open || messages.length === 0) return;
    const waiting = this.#socket.bufferedAmount;
    if (waiting === 0) this.#allowance = 0;
    if (waiting > this.#options.backlog + this.#allowance) this.drop();
    else for (const message of messages) this.#socket.send(message);
  }

  /** Sends what the client asked for at once, however much: it does not count against its backlog. */
  sendOwed(messages: readonly string[]): void {
    if (!this.#open) return;
    for (const message of messages) this.#socket.send(message);
    this.#allowance = this.#socket.bufferedAmount;
  }

  drop(): void {
    this.#options.subscriptions.dropped++;
    const position = this.#options.sent();
    this.#socket.send(JSON.stringify({ type: 'dropped', position, reason: 'the client reads too slowly' }));
    this.#leave(TRY_AGAIN_LATER, 'too slow');
  }

  end(): void {
    this.#leave(GOING_AWAY, 'the server is stopping');
  }

  #leave(code: number, reason: string): void {
    if (!this.#open) return;
    this.#close();
    this.#socket.close(code, reason);
    const timer = setTimeout(() => this.#socket.terminate(), GRACE).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #beat(): void {
    if (!this.#alive) {
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }

  #close(): void {
    this.#open = false;
    clearInterval(this.#heartbeat);
    this.#options.subscriptions.remove(this);
  }
}
