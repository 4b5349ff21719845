import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ended, launch, millrace, newFolder, projectDir, removeFolders } from './command-line.ts';
import { startServer } from './started-server.ts';

afterAll(removeFolders);

const EMPTY = ['--no-sample', '--no-watch'];

async function usedPort(): Promise<{ port: number; free: () => void }> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    free: () => server.close(),
  };
}

/** A folder with one source and these views. */
function viewsFolder(views: Readonly<Record<string, string>>): string {
  const folder = newFolder();
  mkdirSync(join(folder, 'sources'));
  writeFileSync(
    join(folder, 'sources', 'lines.sql'),
    "CREATE STREAM lines (line STRING) WITH (KAFKA_TOPIC = 'text-lines', VALUE_FORMAT = 'KAFKA');",
  );
  for (const [name, sql] of Object.entries(views)) writeFileSync(join(folder, `${name}.sql`), sql);
  return folder;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 50));
}

describe('start refuses in a sentence', () => {
  it.each([
    [['--port', 'abc'], "'abc' is invalid. A whole number is expected."],
    [['--port', '70000'], "'70000' is invalid. A port is a number from 0 to 65535."],
    [['--prot', '1'], "unknown option '--prot'\n(Did you mean --port?)"],
    [['--sample-until', 'yesterday'], "'yesterday' is invalid. A date such as 2026-01-31 is expected."],
  ])('%j: wrong usage, exit code 2', async (flags, text) => {
    const ran = await millrace(['start', ...flags]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(text);
    expect(ran.out).toBe('');
  });

  it.each(['--views', '--pipelines'])('%s of a folder that is not there', async flag => {
    const ran = await millrace(['start', '--data', newFolder(), flag, 'no/such']);
    expect(ran).toMatchObject({
      code: 2,
      err: expect.stringContaining("'no/such' is invalid. There is no such folder."),
    });
  });

  it('a data folder that is a file', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    expect(await millrace(['start', '--data', file, '--port', '0'])).toMatchObject({
      code: 1,
      err: `${file} cannot be the data folder: it is a file, or lies in one [config_invalid]\n  hint: name a folder that this user may write with --data\n`,
    });
  });

  it('an unknown command, with the one that was meant', async () => {
    const ran = await millrace(['strat']);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('(Did you mean start?)') });
  });

  it('a port in use, before any data is laid down', async () => {
    const { port, free } = await usedPort();
    const ran = await millrace(['start', '--data', newFolder(), '--port', String(port)]);
    free();
    expect(ran).toMatchObject({
      code: 1,
      out: '',
      err: `cannot listen on 127.0.0.1:${port}: the port is in use [config_invalid]\n  hint: name another one with --port, or take any free one with --port 0\n`,
    });
  });

  it('an address beyond loopback without a token', async () => {
    const ran = await millrace(['start', '--data', newFolder(), '--port', '0', '--host', '0.0.0.0'], {
      env: { MILLRACE_TOKEN: '' },
    });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('a token is required [config_invalid]\n  hint: set MILLRACE_TOKEN');
  });

  it('broken settings, each with its place', async () => {
    const pipelines = newFolder();
    writeFileSync(join(pipelines, 'topics.yaml'), 'topics:\n  orders: { partitions: none }\n  "a b": {}\n');
    const ran = await millrace(['start', '--data', newFolder(), '--pipelines', pipelines]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/topics\.yaml:2:25: .+ \[config_invalid\]\n2 \| {3}orders: .+\n +\^+/);
    expect(ran.err).toMatch(/topics\.yaml:3:\d+: /);
    expect(ran.err).not.toContain('    at ');
  });

  it('a data folder that another server has, naming that server', async () => {
    const data = newFolder();
    const server = await startServer(['--data', data, '--views', viewsFolder({}), ...EMPTY]);
    const second = await millrace(['start', '--data', data, '--port', '0']);
    await server.stop();
    expect(second).toMatchObject({
      code: 1,
      err: `a server runs on this data folder already: ${server.url} [data_folder_locked]\n  hint: stop it first, or serve another folder with --data and --port\n`,
    });
  });
});

describe('start tells', () => {
  it('where it serves, how many views, and what to try next', async () => {
    const data = newFolder();
    const views = viewsFolder({ all_lines: 'SELECT line FROM lines;' });
    const server = await startServer(['--data', data, '--views', views, ...EMPTY]);
    expect(server.told).toEqual([
      `Millrace serves 1 view at ${server.url} (data: ${data})`,
      `  read one:     curl ${server.url}/views/all_lines`,
      '  go on:        npx millrace status; drop a .sql file into the views folder; docs/README.md',
    ]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await server.stop();
  });

  it('the address as JSON with --json', async () => {
    const data = newFolder();
    const views = viewsFolder({});
    const server = await startServer(['--data', data, '--views', views, '--json', ...EMPTY], { lines: 1 });
    expect(JSON.parse(server.told[0] as string)).toEqual({ url: server.url, data, views: [] });
    await server.stop();
  });

  it('of files that are dropped, broken and removed', async () => {
    const views = viewsFolder({});
    const server = await startServer(['--data', newFolder(), '--views', views, '--no-sample']);
    const status = async () =>
      (await fetch(`${server.url}/views/dropped/status`)).json() as Promise<{ state?: string }>;
    writeFileSync(join(views, 'dropped.sql'), 'SELECT line FROM lines;');
    await until(async () => (await status()).state === 'live');
    await until(() => server.heard().includes('dropped is built and served\n'));
    writeFileSync(join(views, 'dropped.sql'), 'SELECT lien FROM lines;');
    await until(() => server.heard().includes('the last good version goes on serving'));
    expect(server.heard()).toContain(
      'unknown column "lien" [unknown_column]\n1 | SELECT lien FROM lines;\n           ^^^^\n',
    );
    rmSync(join(views, 'dropped.sql'));
    await until(() => server.heard().includes('dropped is gone\n'));
    await server.stop();
  });
});

describe('a stop', () => {
  const small = (data: string): string[] => {
    const views = viewsFolder({ all_lines: 'SELECT line FROM lines;' });
    return ['--data', data, '--views', views, ...EMPTY];
  };

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('by %s is clean', async signal => {
    const data = newFolder();
    const server = await startServer(small(data));
    expect(existsSync(join(data, 'server.json'))).toBe(true);
    expect(await server.stop(signal)).toMatchObject({ code: 0, signal: null });
    expect(existsSync(join(data, 'server.json'))).toBe(false);
    expect((await millrace(['status', '--data', data])).err).not.toContain('ended without closing');
  });

  it('does not wait for a client that follows a view', async () => {
    const server = await startServer(small(newFolder()));
    const changes = () => fetch(`${server.url}/views/all_lines/changes`);
    await until(async () => (await changes()).status === 200);
    await changes();
    expect(await server.stop()).toMatchObject({ code: 0 });
  });

  it('by kill -9 is told to who follows, and the next call takes the folder over', async () => {
    const data = newFolder();
    const server = await startServer(small(data));
    await until(async () => (await fetch(`${server.url}/views/all_lines`)).status === 200);
    const follower = launch(['tail', 'all_lines', '--snapshot', '--data', data]);
    const followed = ended(follower);
    const line = { value: { line: 'one' } };
    await fetch(`${server.url}/topics/text-lines/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(line),
    });
    await new Promise(resolve => follower.stdout?.once('data', resolve));
    await server.stop('SIGKILL');
    expect(await followed).toMatchObject({
      code: 1,
      err: `the server at ${server.url} has gone [not_found]\n`,
    });
    const next = await millrace(['query', 'SELECT COUNT(*) AS n FROM all_lines', '--data', data]);
    expect(next).toMatchObject({ code: 0, out: 'n\n-\n1\n(1 row)\n' });
    expect(next.err).toContain('ended without closing the log');
  });

  it('of npm start leaves no process behind', async () => {
    const data = newFolder();
    const npm = spawn('npm', ['start', '--silent', '--', '--data', data, '--port', '0', ...EMPTY], {
      cwd: projectDir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const end = new Promise<number | null>(resolve => npm.once('close', code => resolve(code)));
    await new Promise(resolve => npm.stdout.once('data', resolve));
    const { pid, url } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as {
      pid: number;
      url: string;
    };
    npm.kill('SIGTERM');
    await end;
    await until(() => !isAlive(pid));
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    expect(existsSync(join(data, 'server.json'))).toBe(false);
  });

  it('is forced by a second SIGINT', async () => {
    const server = await startServer(small(newFolder()));
    const end = server.stop('SIGINT');
    server.child.kill('SIGINT');
    const { code, signal } = await end;
    // the first one may have been done already
    expect([0, 130]).toContain(code);
    expect(signal).toBeNull();
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
