import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../src/core/clock.ts';
import type { RowFolder } from '../../../src/dataflow/build/row-folder.ts';
import { ShadowBuild } from '../../../src/dataflow/build/shadow-build.ts';
import { SharedPositions } from '../../../src/dataflow/live/protocol.ts';
import { logDir, openWorkerEnvironment, viewDir } from '../../../src/dataflow/worker-environment.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import { planScript } from '../../../src/plan/script.ts';
import { openViewFileReader } from '../../../src/view-store/view-file.ts';
import { until } from '../../until.ts';

const SCRIPT = `
  CREATE STREAM clicks (page STRING, ms INT) WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON');
  CREATE TABLE per_page AS SELECT page, COUNT(*) AS n, SUM(ms) AS ms FROM clicks GROUP BY page EMIT CHANGES;
  CREATE VIEW slow AS SELECT page, ms FROM clicks WHERE ms > 20;
`;
const CLICKS = 250_000;

/** All rows of both views, as they lie in their files, and where they stand. */
async function built(dataDir: string, longBuild: number): Promise<readonly (readonly string[])[]> {
  const environment = await openWorkerEnvironment({
    dataDir,
    extensions: [],
    zone: 'UTC',
    memoryBudget: Number.POSITIVE_INFINITY,
    shared: SharedPositions.allocate(),
    longBuild,
  });
  const { plan } = planScript(
    { file: 'views.sql', text: SCRIPT },
    { functions: standardLibrary, zone: 'UTC' },
  );
  if (plan === null) throw new Error('the views are refused');
  const tag = `at${longBuild}`;
  const versions = plan.views.map(v => ({ plan: v, version: `${v.name}@${tag}`, text: '' }));
  let folder: RowFolder | null = null;
  const scan = environment.openScan();
  const openFolder = () => {
    folder = environment.openFolder();
    return folder;
  };
  const ports = { ...environment, openScan: () => scan, openFolder };
  const build = new ShadowBuild(ports, { plan, built: versions, fillTopics: [] });
  build.advance();
  const isLong = longBuild < CLICKS;
  expect(folder !== null).toBe(isLong);
  if (isLong) await until('the threads run', () => scan.ready && folder?.ready);
  let ahead = 0;
  while (!build.caughtUp || build.waits) {
    build.check();
    if (!build.waits) build.advance();
    if (scan.isAhead) ahead++;
    await new Promise(resolve => setImmediate(resolve));
  }
  const { position } = build.finish();
  await environment.log.close();
  expect(ahead > 0).toBe(isLong);
  return Promise.all(
    versions.map(async ({ version }) => {
      const reader = openViewFileReader(viewDir(dataDir, version));
      const rows = [...reader.range({})].map(
        ({ key, value }) => `${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`,
      );
      await reader.close();
      return [`${position}`, ...rows];
    }),
  );
}

test('a long build, with threads that read and write beside it, leaves the same files', {
  timeout: 120_000,
}, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-long-build-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const log = await openEmbeddedLog({ dir: logDir(dataDir), clock: new ManualClock(1_000) });
  log.createTopic({ name: 'clicks', partitions: 1, keyIndex: false });
  for (let n = 0; n < CLICKS; n += 1_000) {
    const records = Array.from({ length: 1_000 }, (_, i) => ({
      topic: 'clicks',
      key: null,
      value: Buffer.from(`{"page":"p${((n + i) * 7919) % 5_000}","ms":${(n + i) % 50}}`),
      timestamp: n + i,
    }));
    await log.append({ records }).durable;
  }
  await log.seal();
  await log.close();
  const alone = await built(dataDir, Number.POSITIVE_INFINITY);
  expect(alone.map(rows => rows.length)).toEqual([5_001, 145_001]);
  expect(await built(dataDir, 1)).toEqual(alone);
});
