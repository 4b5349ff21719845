import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

const PASSWORD = 'of the test';

/**
 * A PostgreSQL of its own in a temporary folder: on the loopback, with a superuser `millrace` and a password. It is for
 * tests and benches; the binaries are those of the system (package `postgresql`).
 */
export class Postgres {
  readonly port: number;
  readonly #dir: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | null = null;

  private constructor(dir: string, port: number, settings: readonly string[]) {
    this.#dir = dir;
    this.port = port;
    this.#settings = settings;
  }

  /** `settings`: as `fsync=off` */
  static async start(settings: readonly string[] = ['fsync=off']): Promise<Postgres> {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-postgres-'));
    const owner = otherUser();
    if (owner.uid !== undefined) chownSync(dir, owner.uid, owner.gid ?? owner.uid);
    const password = join(dir, 'password');
    writeFileSync(password, PASSWORD, { mode: 0o644 });
    execFileSync(
      binary('initdb'),
      [
        ...['-D', join(dir, 'data'), '-U', 'millrace', '-A', 'scram-sha-256', `--pwfile=${password}`],
        ...['-E', 'UTF8', '--no-locale', '--no-sync'],
      ],
      { ...owner, cwd: dir, stdio: 'pipe' },
    );
    const postgres = new Postgres(dir, await freePort(), settings);
    await postgres.restart();
    return postgres;
  }

  url(user = 'millrace', password = PASSWORD, database = 'postgres'): string {
    return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${database}`;
  }

  /** Starts the server again; resolves when it takes connections. */
  async restart(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const child = spawn(
        binary('postgres'),
        [
          ...['-D', join(this.#dir, 'data'), '-p', String(this.port), '-k', this.#dir],
          ...['-c', 'listen_addresses=127.0.0.1', '-c', 'shared_buffers=128MB'],
          ...this.#settings.flatMap(s => ['-c', s]),
        ],
        { ...otherUser(), cwd: this.#dir, stdio: ['ignore', 'ignore', 'pipe'] },
      );
      let said = '';
      child.stderr.on('data', data => {
        said = (said + String(data)).slice(-4_000);
      });
      this.#child = child;
      if (await this.#answers(child)) return;
      // processes of a server that was killed may still end
      if (attempt === 50) throw new Error(`PostgreSQL does not start:\n${said}`);
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }

  /** kill -9 of the server. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  async remove(): Promise<void> {
    await this.#end('SIGQUIT');
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async query<T extends pg.QueryResultRow = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<T[]> {
    const client = await this.client();
    try {
      return (await client.query<T>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async client(url = this.url()): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {}); // the server may be killed
    await client.connect();
    return client;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async #answers(child: ChildProcess): Promise<boolean> {
    while (child.exitCode === null && child.signalCode === null) {
      try {
        await (await this.client()).end();
        return true;
      } catch {
        await new Promise(resolve => setTimeout(resolve, 20));
      }
    }
    return false;
  }
}

/** The server refuses to run as root: its own user runs it then, or nobody. */
function otherUser(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map(what =>
      Number(spawnSync('id', [what, name], { encoding: 'utf8' }).stdout.trim() || Number.NaN),
    );
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid: uid as number, gid: gid as number };
  }
  return {};
}

function binary(name: string): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map(v => join(root, v, 'bin', name)).find(existsSync);
  return found ?? name;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
