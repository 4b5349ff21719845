import { connect, type Socket } from 'node:net';
import { percentile } from '../bench.ts';
import type { Load, Loaded } from './load.ts';
import { commandBody } from './load.ts';

/**
 * Sends HTTP requests from a process of its own over sockets that stay open, one request at a time on each, and reads of
 * the answers no more than it must: the server is to be what is measured. The load stands in the first argument.
 */

const HEAD_END = Buffer.from('\r\n\r\n');

/** One connection; requests wait for each other. */
class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #answered: ((text: string) => void) | null = null;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', chunk => this.#take(chunk));
    this.#socket.on('error', error => {
      throw error;
    });
  }

  /** The whole answer, head and body. */
  ask(request: string): Promise<string> {
    return new Promise(resolve => {
      this.#answered = resolve;
      this.#socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#received.length < headEnd + 4 + length) return;
    const text = this.#received.toString('latin1', 0, headEnd + 4 + length);
    this.#received = this.#received.subarray(headEnd + 4 + length);
    const answered = this.#answered;
    this.#answered = null;
    answered?.(text);
  }
}

const load = JSON.parse(process.argv[2] ?? '') as Load;
const latencies: number[] = [];
let sent = 0;
let refused = 0;

function request(n: number): string {
  if (load.kind === 'get') {
    const path = load.paths[n % load.paths.length] as string;
    return `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`;
  }
  const body = commandBody(n);
  return (
    `POST /invoices/${load.prefix}-${n}/commands HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`
  );
}

function check(answer: string): void {
  if (answer.startsWith('HTTP/1.1 200')) return;
  if (refused++ === 0) process.stderr.write(`${answer.slice(0, 600)}\n`);
}

/** Every connection sends its next request when the one before is answered. */
async function closedLoop(connections: readonly Connection[], until: number): Promise<void> {
  await Promise.all(
    connections.map(async connection => {
      while (performance.now() < until) {
        const begun = performance.now();
        check(await connection.ask(request(sent++)));
        latencies.push(performance.now() - begun);
      }
    }),
  );
}

/** ms at the beginning of an open loop that count for nothing: the loader is a new process, its own code is cold */
const WARM_UP = 1_000;

/**
 * So many requests a second, whatever the answers: latencies count from when a request was due. With `see`, one of ten
 * is followed by a read of that path that waits for what the command did; the time is until then.
 */
async function openLoop(connections: readonly Connection[], until: number, rate: number): Promise<void> {
  const free = [...connections];
  const begun = performance.now();
  const see = load.kind === 'commands' ? load.see : undefined;
  const readers = see === undefined ? [] : connections.slice(0, 8).map(() => new Connection(load.port));
  const due: number[] = [];
  let going = 0;
  const one = async (connection: Connection, at: number): Promise<void> => {
    going++;
    const n = sent++;
    const answer = await connection.ask(request(n));
    check(answer);
    free.push(connection);
    const reader = see === undefined || n % 10 !== 0 ? undefined : readers.pop();
    const counts = at >= begun + WARM_UP;
    if (see === undefined) {
      if (counts) latencies.push(performance.now() - at);
    } else if (reader !== undefined) {
      const position = /millrace-position: (\S+)/.exec(answer)?.[1] ?? '';
      check(await reader.ask(`GET ${see}${position} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`));
      if (counts) latencies.push(performance.now() - at);
      readers.push(reader);
    }
    going--;
  };
  while (performance.now() < until || going > 0) {
    const now = performance.now();
    const wanted = now < until ? Math.floor(((now - begun) / 1000) * rate) : 0;
    for (let n = due.length; n < wanted; n++) due.push(begun + (n / rate) * 1000);
    while (free.length > 0 && sent < due.length) {
      void one(free.pop() as Connection, due[sent] as number);
    }
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  for (const reader of readers) reader.close();
}

const connections = Array.from({ length: load.clients }, () => new Connection(load.port));
const begun = performance.now();
const cpu = process.cpuUsage();
const until = begun + load.seconds * 1000;
if (load.awake === true) {
  const turn = (): void => {
    if (performance.now() < until) setImmediate(turn);
  };
  turn();
}
if (load.rate === undefined) await closedLoop(connections, until);
else await openLoop(connections, until, load.rate);
const seconds = (performance.now() - begun) / 1000;
for (const connection of connections) connection.close();
const used = process.cpuUsage(cpu);
const loaded: Loaded = {
  perSecond: sent / seconds,
  requests: sent,
  refused,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  p999: percentile(latencies, 0.999),
  max: Math.max(0, ...latencies.slice(-1), percentile(latencies, 1)),
  loaderCores: (used.user + used.system) / 1e6 / seconds,
};
process.stdout.write(`${JSON.stringify(loaded)}\n`);
