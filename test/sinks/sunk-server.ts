import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { expect } from 'vitest';
import { type StartedServer, startServer } from '../cli/started-server.ts';
import { until } from '../until.ts';
import type { Postgres } from './postgres.ts';

const SOURCES = `
CREATE STREAM orders (id STRING KEY, customer STRING, amount DECIMAL(12, 2))
  WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA', PARTITIONS = 1);
CREATE TABLE accounts (id STRING PRIMARY KEY, owner STRING, balance DECIMAL(12, 2))
  WITH (KAFKA_TOPIC = 'accounts', VALUE_FORMAT = 'JSON', KEY_FORMAT = 'KAFKA', PARTITIONS = 1);
`;

const VIEWS: Readonly<Record<string, string>> = {
  totals: 'SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;',
  large: 'CREATE STREAM large AS SELECT id, customer, amount FROM orders WHERE amount > 500;',
  rich: 'SELECT id, owner, balance FROM accounts WHERE balance > 500;',
};

export const SINKS = ['totals', 'large', 'rich'] as const;

/** A data folder with views of three kinds, each kept in PostgreSQL, and the process that serves them. */
export class SunkServer {
  readonly #dir = mkdtempSync(join(tmpdir(), 'millrace-sinks-'));
  #server: StartedServer | null = null;

  constructor(url: string, views: readonly string[] = SINKS) {
    mkdirSync(join(this.#dir, 'views', 'sources'), { recursive: true });
    mkdirSync(join(this.#dir, 'pipelines'));
    writeFileSync(join(this.#dir, 'views', 'sources', 'sources.sql'), SOURCES);
    for (const name of views) this.write(name, VIEWS[name] ?? '');
    this.connect(url, views);
    writeFileSync(
      join(this.#dir, 'pipelines', 'topics.yaml'),
      'topics:\n  orders: { partitions: 1 }\n  accounts: { partitions: 1 }\n',
    );
  }

  /** Sinks to another place, with `more` settings such as `takeOver: true`; takes effect with the next start. */
  connect(url: string, views: readonly string[] = SINKS, more = ''): void {
    const rest = more === '' ? '' : `, ${more}`;
    const sinks = views.map(v => `  ${v}: { view: ${v}, postgres: { connection: '${url}' }${rest} }\n`);
    writeFileSync(join(this.#dir, 'pipelines', 'sinks.yaml'), `sinks:\n${sinks.join('')}`);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.#dir, 'views', `${name}.sql`), text);
  }

  get url(): string {
    if (this.#server === null) throw new Error('the server does not run');
    return this.#server.url;
  }

  async start(): Promise<void> {
    const folder = (name: string) => join(this.#dir, name);
    this.#server = await startServer(
      [
        '--no-sample',
        '--data',
        folder('data'),
        '--views',
        folder('views'),
        '--pipelines',
        folder('pipelines'),
      ],
      { lines: 1 },
    );
  }

  async kill(): Promise<void> {
    await this.#server?.stop('SIGKILL');
    this.#server = null;
  }

  async stop(): Promise<number | null | undefined> {
    const ended = await this.#server?.stop();
    this.#server = null;
    return ended?.code;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const answer = await fetch(this.url + path);
    return (await answer.json()) as T;
  }

  /** Appends records; resolves with the position behind them. */
  async send(
    topic: string,
    records: readonly { readonly key: string; readonly value: unknown }[],
  ): Promise<string> {
    const answer = await fetch(`${this.url}/topics/${topic}/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: records.map(r => `${JSON.stringify(r)}\n`).join(''),
    });
    const body = (await answer.json()) as { readonly position: string };
    if (!answer.ok) throw new Error(JSON.stringify(body));
    return body.position;
  }

  /** All sinks have reached the end of the log, and each table holds what its view holds. */
  async expectEqual(postgres: Postgres, sinks: readonly string[] = SINKS): Promise<void> {
    const { position } = await this.get<{ readonly position: string }>('/status');
    for (const sink of sinks) {
      await until(
        `sink ${sink} is at ${position}`,
        async () => (await fetch(`${this.url}/sinks/${sink}?after=${position}&wait=5s`)).ok,
        60_000,
      );
      const { columns, rows } = await this.#viewRows(sink);
      const kept = await tableRows(postgres, sink, columns);
      expect(kept.length, `rows of ${sink}`).toBe(rows.length);
      expect(kept, `rows of ${sink}`).toEqual(rows);
    }
  }

  async #viewRows(view: string): Promise<{ readonly columns: string[]; readonly rows: string[] }> {
    const rows: string[] = [];
    let columns: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const page: { readonly rows: readonly Record<string, unknown>[]; readonly next: string | null } =
        await this.get(
          `/views/${view}?limit=10000${next === '' ? '' : `&cursor=${encodeURIComponent(next)}`}`,
        );
      if (columns.length === 0) columns = Object.keys(page.rows[0] ?? {});
      rows.push(
        ...page.rows.map(r => JSON.stringify(Object.values(r).map(v => (v === null ? null : String(v))))),
      );
      next = page.next;
    }
    return { columns, rows: rows.sort() };
  }
}

async function tableRows(postgres: Postgres, table: string, columns: readonly string[]): Promise<string[]> {
  const client: pg.Client = await postgres.client();
  try {
    const texts = columns.map(c => `${c.toLowerCase()}::text`).join(', ');
    const { rows } = await client.query<unknown[]>({
      text: `SELECT ${texts || '1'} FROM ${table}`,
      rowMode: 'array',
    });
    return rows.map(r => JSON.stringify(r)).sort();
  } finally {
    await client.end();
  }
}

/** Sends orders and accounts, some of which go again, until it is told to stop; a server that is away is waited for. */
export class SunkLoad {
  readonly random: () => number;
  acknowledged = 0;
  #sent = 0;
  #stopped = false;

  constructor(seed: number) {
    let state = seed >>> 0;
    this.random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  async run(server: SunkServer): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.send(server);
        this.acknowledged++;
      } catch {
        await new Promise(resolve => setTimeout(resolve, 5));
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** One batch of each topic. */
  async send(server: SunkServer, n = 200): Promise<string> {
    const orders = Array.from({ length: n }, () => ({
      key: `o${this.#sent++}`,
      value: { customer: `c${Math.floor(this.random() * 400)}`, amount: this.#amount() },
    }));
    const accounts = Array.from({ length: n }, () => ({
      key: `a${Math.floor(this.random() * 3_000)}`,
      value: this.random() < 0.2 ? null : { owner: `tab\t"${this.#sent}\\`, balance: this.#amount() },
    }));
    await server.send('orders', orders);
    return server.send('accounts', accounts);
  }

  #amount(): number {
    return Math.floor(this.random() * 100_000) / 100;
  }
}
