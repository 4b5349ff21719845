import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runtimeProblem } from '../../src/cli/check-node.mjs';
import { millrace, newFolder, projectDir, removeFolders } from './command-line.ts';
import { startServer } from './started-server.ts';

afterAll(removeFolders);

describe('the runtime', () => {
  it.each(['22.18.0', '22.20.1', '23.6.0', '24.0.0', '24.21.0', '30.1.2'])(
    'Node %s runs the sources',
    version => {
      expect(runtimeProblem(version)).toBeNull();
    },
  );

  it.each(['16.20.2', '20.20.2', '22.17.9', '23.5.0'])(
    'Node %s is told in a sentence what is missing',
    version => {
      expect(runtimeProblem(version)).toBe(
        `Millrace needs Node 22.18 or newer and was started with ${version}.\n` +
          'On Linux and Windows `npm ci` brings the right one along: start with `npm start` or `npx millrace start`.\n' +
          'Elsewhere install Node 24 from https://nodejs.org and try again.',
      );
    },
  );
});

const old = oldNode();

describe.skipIf(old === null)('under a Node that is too old', () => {
  const node = old ?? '';
  const pinned = existsSync(join(projectDir, 'node_modules', '.bin', 'node'));

  it('says so and ends with 1 where no other one is there', async () => {
    const ran = await millrace(['check'], { node, env: { MILLRACE_PINNED: '1' } });
    expect(ran.code).toBe(1);
    expect(ran.out).toBe('');
    expect(ran.err).toMatch(/^Millrace needs Node 22\.18 or newer and was started with \d+\.\d+\.\d+\.\n/);
    expect(ran.err).not.toContain('    at ');
  });

  it.runIf(pinned)('stands aside for the one that npm ci brought, with its exit code', async () => {
    expect(await millrace(['check', 'test/cli/wrong-files/sources/orders.sql'], { node })).toMatchObject({
      code: 0,
    });
    expect(await millrace(['check', 'test/cli/wrong-files/unknown_column.sql'], { node })).toMatchObject({
      code: 1,
    });
    expect(await millrace(['chek'], { node })).toMatchObject({ code: 2 });
  });

  it.runIf(pinned)('hands signals on: the server stops cleanly', async () => {
    const flags = ['--data', newFolder(), '--views', newFolder(), '--no-sample'];
    const server = await startServer(flags, { node });
    expect(await server.stop('SIGTERM')).toMatchObject({ code: 0, signal: null });
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  });
});

/** A Node below 22.18 on the path, if this machine has one. */
function oldNode(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const node = join(folder, 'node');
    if (!existsSync(node)) continue;
    try {
      const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
      if (runtimeProblem(version) !== null) return node;
    } catch {
      // does not run here
    }
  }
  return null;
}
