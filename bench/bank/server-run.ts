import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bankViews } from './engine-run.ts';
import type { SeenRow } from './faults.ts';
import { BankReaders, SeenByReaders, seenRow } from './server-readers.ts';
import { randomNumbers, TRANSFERS, type Transfer, transferText } from './transfers.ts';

export interface ServerRun {
  readonly reads: number;
  /** of change feeds, that bring a reader to a position */
  readonly events: number;
  /** different positions at which readers saw rows */
  readonly positions: number;
  readonly killed: number;
  readonly stopped: number;
  readonly faults: readonly string[];
  readonly seconds: number;
  /** of the view `balance` at the end */
  readonly balances: readonly SeenRow[];
}

export interface ServerRunOptions {
  readonly transfers: readonly Transfer[];
  readonly seed: number;
  /** times that the server is killed or stopped while it is written to and read */
  readonly restarts: number;
}

const ENTRY = join(import.meta.dirname, '..', '..', 'src', 'cli', 'millrace.mjs');

/** Writes transfers to a server that is killed and stopped at random, while others read it on every way that there is. */
export async function runServer({ transfers, seed, restarts }: ServerRunOptions): Promise<ServerRun> {
  const next = randomNumbers(seed);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bank-'));
  const seen = new SeenByReaders();
  const readers = new BankReaders(seen);
  const ways = { SIGKILL: 0, SIGTERM: 0 };
  const begun = performance.now();
  const turns = turnsOf(transfers.length, restarts, next);
  let server: BankServer | null = null;
  try {
    for (const end of turns) {
      server = await BankServer.start(folder);
      await server.built();
      const stopped = new AbortController();
      const reading = readers.run(server.url, stopped.signal);
      // what was written when the server was killed is in the log, or is not
      for (let from = await server.written(); from < end; ) {
        const to = Math.min(end, from + 1 + Math.floor(next() * next() * 400));
        await server.write(transfers.slice(from, to));
        from = to;
      }
      if (end < transfers.length) {
        const way = next() < 0.5 ? 'SIGKILL' : 'SIGTERM';
        ways[way]++;
        // these may be lost, together
        const more = server.write(transfers.slice(end, end + 50)).catch(() => {});
        stopped.abort();
        await server.stop(way);
        await Promise.all([more, reading]);
        continue;
      }
      const balances = await server.rows('balance');
      stopped.abort();
      await reading;
      await server.stop('SIGTERM');
      return {
        reads: seen.reads,
        events: seen.events,
        positions: seen.positions.size,
        killed: ways.SIGKILL,
        stopped: ways.SIGTERM,
        faults: seen.faults,
        seconds: (performance.now() - begun) / 1000,
        balances,
      };
    }
    throw new Error('no transfers');
  } finally {
    await server?.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How many transfers are written at the end of each life of the server. */
function turnsOf(count: number, restarts: number, next: () => number): readonly number[] {
  const ends = Array.from({ length: restarts }, () => 1 + Math.floor(next() * (count - 60)));
  return [...ends.sort((a, b) => a - b), count];
}

class BankServer {
  readonly url: string;
  readonly #child: ChildProcess;
  #ended = false;
  #last = '';

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    child.once('exit', () => {
      this.#ended = true;
    });
  }

  static async start(folder: string): Promise<BankServer> {
    const pipelines = join(folder, 'pipelines');
    mkdirSync(pipelines, { recursive: true });
    const args = ['start', '--json', '--no-sample', '--no-watch', '--port', '0', '--views', bankViews];
    const child = spawn(
      process.execPath,
      [ENTRY, ...args, '--pipelines', pipelines, '--data', join(folder, 'data')],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let said = '';
    child.stderr.setEncoding('utf8').on('data', part => {
      said += part;
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const { url } = JSON.parse(line) as { url: string };
      return new BankServer(child, url);
    }
    throw new Error(`the server ended before it served:\n${said}`);
  }

  /** Resolves when the views are served: a life may end before the first build does. */
  async built(): Promise<void> {
    for (const view of ['total_by_union', 'differences', 'both_sides', 'total']) {
      while ((await fetch(`${this.url}/views/${view}`)).status === 503) {
        await new Promise(resolve => setTimeout(resolve, 20));
      }
    }
  }

  /** transfers in the topic */
  async written(): Promise<number> {
    const topic = (await this.#get(`/topics/${TRANSFERS}`)) as { records: number };
    return topic.records;
  }

  /** All of them are durable, or none is. */
  async write(transfers: readonly Transfer[]): Promise<void> {
    const answer = await fetch(`${this.url}/topics/${TRANSFERS}/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: transfers.map(t => `{"value":${transferText(t)}}\n`).join(''),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    this.#last = (JSON.parse(text) as { position: string }).position;
  }

  /** The rows of a view, at least as fresh as what was written last. */
  async rows(view: string): Promise<readonly SeenRow[]> {
    const { rows } = (await this.#get(`/views/${view}?after=${this.#last}&wait=60s`)) as {
      rows: Record<string, unknown>[];
    };
    return rows.map(seenRow);
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#ended) return;
    const ended = new Promise(resolve => this.#child.once('exit', resolve));
    this.#child.kill(signal);
    await ended;
  }

  async #get(path: string): Promise<unknown> {
    const answer = await fetch(this.url + path);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${text}`);
    return JSON.parse(text);
  }
}
