import { once } from 'node:events';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { MillraceError } from '../../core/errors.ts';
import { failureOf, type Place } from './failure.ts';

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  readonly sink: string;
  /** quoted, with its schema: for messages */
  readonly table: string;
  readonly lost: (error: Error) => void;
}

export type Parameter = string | number | null;
export type Found = Readonly<Record<string, unknown>>;

/** ms */
const CONNECT_WITHIN = 10_000;

/** One connection; what fails is told in words of `failure.ts`. */
export class Connection {
  readonly #client: pg.Client;
  readonly #place: Place;
  #closed = false;
  #broken: Error | null = null;

  private constructor(client: pg.Client, place: Place) {
    this.#client = client;
    this.#place = place;
  }

  static async open({ url, sink, table, lost }: ConnectionOptions): Promise<Connection> {
    let client: pg.Client;
    try {
      client = new pg.Client({
        connectionString: url,
        application_name: `millrace ${sink}`.slice(0, 63),
        connectionTimeoutMillis: CONNECT_WITHIN,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
      });
    } catch (cause) {
      throw new MillraceError('sink_refused', `the connection of sink ${sink} is no URL that can be read`, {
        hint: 'write postgres://user:password@host:5432/database',
        cause,
      });
    }
    const place: Place = {
      server: `PostgreSQL at ${client.host}:${client.port}/${client.database ?? ''}`,
      user: client.user ?? '',
      table,
    };
    const connection = new Connection(client, place);
    const broke = (error?: Error) => {
      if (connection.#closed || connection.#broken !== null) return;
      connection.#broken = failureOf(error ?? new Error('the connection ended'), place);
      lost(connection.#broken);
    };
    client.on('error', broke);
    client.on('end', () => broke());
    try {
      await client.connect();
    } catch (error) {
      connection.#closed = true;
      client.end().catch(() => {});
      throw failureOf(error, place);
    }
    return connection;
  }

  get usable(): boolean {
    return !this.#closed && this.#broken === null;
  }

  /** One statement: the extended protocol refuses a text of several. */
  async run(text: string, values: readonly Parameter[] = []): Promise<readonly Found[]> {
    const query = { text, values: [...values], queryMode: 'extended' };
    return (await this.#asked(() => this.#client.query<Found>(query))).rows;
  }

  /** how many rows it touched */
  async count(text: string, values: readonly Parameter[] = []): Promise<number> {
    return (await this.#asked(() => this.#client.query(text, [...values]))).rowCount ?? 0;
  }

  /** Several statements without parameters in one message. */
  async script(text: string): Promise<void> {
    await this.#asked(() => this.#client.query(text));
  }

  copy(statement: string): CopyIn {
    const stream = this.#client.query(copyFrom(statement, { highWaterMark: COPY_BUFFER }));
    let failed: unknown = null;
    stream.on('error', error => {
      failed ??= error;
    });
    const check = () => {
      if (failed !== null) throw this.#failure(failed);
      if (this.#broken !== null) throw this.#broken;
    };
    const until = async (event: 'drain' | 'finish') => {
      const over = new AbortController();
      const { signal } = over;
      try {
        await Promise.race([once(stream, event, { signal }), once(this.#client, 'end', { signal })]);
      } catch (error) {
        throw this.#failure(error);
      } finally {
        over.abort();
      }
      check();
    };
    return {
      write: async text => {
        check();
        if (!stream.write(Buffer.from(text, 'utf8'))) await until('drain');
      },
      end: async () => {
        check();
        stream.end();
        await until('finish');
      },
    };
  }

  /** At once: what was under way is rolled back by the server. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.end().catch(() => {});
    // its types lack it
    (this.#client as unknown as { unref(): void }).unref();
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#broken !== null) throw this.#broken;
    try {
      return await ask();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): Error {
    return failureOf(error, this.#place);
  }
}

const COPY_BUFFER = 1024 * 1024;

/** Lines of COPY's text format on their way in. */
export interface CopyIn {
  write(text: string): Promise<void>;
  end(): Promise<void>;
}
