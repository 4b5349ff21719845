import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const long = process.env.MILLRACE_LONG === '1';
/** what needs a real Kafka or PostgreSQL: `npm run test:servers` */
const servers = process.env.MILLRACE_SERVERS === '1';

/** Folders whose tests leave nothing behind in their process, and replace no module: files share one, and load what they test once. */
const SHARING = [
  'cases',
  'config',
  'conformance',
  'contract',
  'core',
  'dataflow/engine',
  'decode',
  'expr',
  'http',
  'invoice',
  'kafka',
  'kv',
  'operators',
  'plans',
  'sql',
  'state',
  'topology',
  'view-store',
].map(folder => `test/${folder}/**/*.test.ts`);

// worker threads and processes that tests start compile the sources once, not each anew
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.cache', 'compiled');

const all = long ? ['test/**/*.test.ts', 'test/**/*.long.ts'] : ['test/**/*.test.ts'];

export default defineConfig({
  test: {
    // generous where whole servers run: the machine may be busy, and nothing is measured here
    testTimeout: long ? 1_800_000 : 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // servers of tests share their machine with the tests
    maxWorkers: servers ? 1 : 2,
    passWithNoTests: false,
    projects: servers
      ? [
          {
            extends: true,
            test: {
              name: 'servers',
              include: ['test/**/*.servers.ts'],
              globalSetup: ['test/servers/stop-servers.ts'],
            },
          },
        ]
      : [
          {
            extends: true,
            test: {
              name: 'shared',
              include: SHARING,
              isolate: false,
              testTimeout: long ? 1_800_000 : 30_000,
            },
          },
          { extends: true, test: { name: 'alone', include: all, exclude: SHARING } },
        ],
  },
});
