import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { ManualClock } from '../../src/core/clock.ts';
import { catalogue, type ErrorCode } from '../../src/core/errors.ts';
import { type RunningMillrace, startMillrace } from '../../src/main.ts';
import { type FuzzRequest, operationsOf, type Surface } from './random-request.ts';
import { validScripts } from './valid-sql.ts';

const root = join(import.meta.dirname, '../..');
const UNTIL = Date.UTC(2026, 10, 24, 10);
/** of an answer that is read: streams never end */
const MOST_READ = 1 << 20;
const MOST_SEEN = 200;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** The server that ships, with its sample, in this process: so its heap is ours. */
export class FuzzedServer {
  readonly url: string;
  surface: Surface = { operations: [], views: [], topics: [], seen: [], sql: [] };
  readonly #folder: string;
  readonly #server: RunningMillrace;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  private constructor(folder: string, server: RunningMillrace) {
    this.#folder = folder;
    this.#server = server;
    this.url = server.url;
  }

  static async start(): Promise<FuzzedServer> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-fuzzed-'));
    const server = await startMillrace({
      dataDir: join(folder, 'data'),
      viewsDir: join(root, 'views'),
      pipelinesDir: join(root, 'pipelines'),
      port: 0,
      sample: true,
      sampleUntil: UNTIL,
      watch: false,
      quiet: true,
      announce: false,
      clock: new ManualClock(UNTIL),
    });
    await server.caughtUp();
    const fuzzed = new FuzzedServer(folder, server);
    const json = async (path: string) =>
      JSON.parse((await fuzzed.ask({ method: 'GET', path, headers: {}, body: null })).body);
    const { views, position } = await json('/views');
    const { topics } = await json('/topics');
    fuzzed.surface = {
      operations: operationsOf(await json('/openapi.json')),
      views: views.map((v: { name: string }) => v.name),
      topics: topics.map((t: { name: string }) => t.name),
      seen: [position],
      sql: validScripts().map(text => text.slice(-2000)),
    };
    return fuzzed;
  }

  /** Sends a request; of a stream the beginning is read, then it is left. */
  ask({ method, path, headers, body }: FuzzRequest): Promise<Answer> {
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const sent = request(
        { hostname, port, method, path, agent: this.#agent, headers: { ...headers, ...length(body) } },
        response => {
          const chunks: Buffer[] = [];
          let size = 0;
          const finish = () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString('utf8'),
            });
          if (response.headers['content-type']?.startsWith('text/event-stream')) {
            finish();
            response.destroy();
            return;
          }
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size <= MOST_READ) chunks.push(chunk);
          });
          response.on('end', finish).on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body ?? undefined);
    });
  }

  /** Bytes as they are onto a connection of its own; what comes back until it is closed, or nothing comes any more. */
  raw(bytes: Uint8Array, quiet = 40): Promise<string> {
    const { hostname, port } = new URL(this.url);
    return new Promise(resolve => {
      let text = '';
      const socket = connect({ host: hostname, port: Number(port) });
      socket.setTimeout(quiet, () => socket.destroy());
      socket.on('data', chunk => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
      socket.write(bytes);
    });
  }

  /** A WebSocket on which `use` may do what it wants; resolves when it is closed. */
  socket(path: string, use: (socket: WebSocket) => void): Promise<void> {
    return new Promise(resolve => {
      const socket = new WebSocket(`${this.url.replace('http', 'ws')}${path}`);
      const timer = setTimeout(() => socket.terminate(), 200);
      socket.on('open', () => use(socket));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Keeps some of what answers give, for requests to come. */
  remember(answer: Answer): void {
    for (const [, text] of answer.body.matchAll(/"(?:position|next|commandId|id)":"([^"]{1,200})"/g)) {
      const { seen } = this.surface;
      if (seen.length < MOST_SEEN) seen.push(text as string);
      else seen[seen.length - 1 - (answer.body.length % 50)] = text as string;
    }
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function length(body: Uint8Array | null): Record<string, string> {
  return body === null ? {} : { 'content-length': String(body.length) };
}

/** What is wrong with an answer; null: nothing. A refusal is a problem document of the catalogue, and never our fault. */
export function wrongAnswer({ status, headers, body }: Answer): string | null {
  const type = headers['content-type'] ?? '';
  if (status >= 200 && status < 400) return null;
  if (status < 200) return `status ${status}`;
  // an answer to HEAD has no body
  if (body === '') return status < 500 ? null : `status ${status} without a body`;
  if (!type.startsWith('application/problem+json'))
    return `status ${status} as ${type}: ${body.slice(0, 300)}`;
  let problem: { readonly code?: string; readonly status?: number; readonly detail?: string };
  try {
    problem = JSON.parse(body);
  } catch {
    return `the problem is no JSON: ${body.slice(0, 300)}`;
  }
  const entry = catalogue[problem.code as ErrorCode];
  if (entry === undefined) return `unknown code: ${body.slice(0, 300)}`;
  if (problem.status !== status) return `status ${status}, but ${problem.status} in the problem`;
  if (entry.fault === 'internal' || status === 500) return `our fault: ${body.slice(0, 1000)}`;
  return status >= 500 && entry.fault !== 'external' ? `${status} for ${problem.code}` : null;
}
