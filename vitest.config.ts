import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const long = process.env.MILLRACE_LONG === '1';
/** what needs a real Kafka or PostgreSQL: `npm run test:servers` */
const servers = process.env.MILLRACE_SERVERS === '1';
// worker threads and processes that tests start compile the sources once, not each anew
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.cache', 'compiled');

export default defineConfig({
  test: {
    include: servers
      ? ['test/**/*.servers.ts']
      : long
        ? ['test/**/*.test.ts', 'test/**/*.long.ts']
        : ['test/**/*.test.ts'],
    ...(servers ? { globalSetup: ['test/servers/stop-servers.ts'] } : {}),
    testTimeout: long ? 1_800_000 : servers ? 90_000 : 30_000,
    hookTimeout: servers ? 120_000 : 60_000,
    pool: 'forks',
    // servers of tests share their machine with the tests
    maxWorkers: servers ? 1 : 2,
    passWithNoTests: false,
  },
});
