import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../src/core/clock.ts';
import type { RowFolder } from '../../../src/dataflow/build/row-folder.ts';
import { ShadowBuild } from '../../../src/dataflow/build/shadow-build.ts';
import type { DecodeOrder } from '../../../src/dataflow/dataflow.ts';
import { SharedPositions } from '../../../src/dataflow/live/protocol.ts';
import { logDir, openWorkerEnvironment, viewDir } from '../../../src/dataflow/worker-environment.ts';
import { standardLibrary } from '../../../src/expr/library.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { ReadAhead } from '../../../src/log/embedded/read-ahead.ts';
import { planScript } from '../../../src/plan/script.ts';
import { openViewFileReader } from '../../../src/view-store/view-file.ts';
import { until } from '../../until.ts';

const SCRIPT = `
  CREATE STREAM clicks (page STRING, ms INT) WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON');
  CREATE TABLE per_page AS SELECT page, COUNT(*) AS n, SUM(ms) AS ms FROM clicks GROUP BY page EMIT CHANGES;
  CREATE VIEW slow AS SELECT page, ms FROM clicks WHERE ms > 20;
`;
const CLICKS = 250_000;

/** Most are plain; some hold what is decoded by the build itself, or cannot be. */
function click(n: number): Buffer {
  const page = `p${(n * 7919) % 5_000}`;
  if (n < 60_000 && n % 20_000 === 19_999)
    return Buffer.from(`{"page":"\\u0070${page.slice(1)}","ms":${n % 50}}`);
  if (n < 60_000 && n % 40_000 === 7) return Buffer.from(`{"page":"${page}","ms":`);
  return Buffer.from(n % 3_000 === 1 ? `{"page":"${page}","ms":null}` : `{"page":"${page}","ms":${n % 50}}`);
}

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
  let scan = null as ReadAhead | null;
  let decoded = 0;
  const openScan = (order: DecodeOrder | null) => {
    const own = environment.openScan(order);
    scan = own;
    return {
      next(from: number, maxRecords: number) {
        const block = own.next(from, maxRecords);
        if (block?.beside !== undefined) decoded++;
        return block;
      },
      close: () => own.close(),
    };
  };
  const openFolder = () => {
    folder = environment.openFolder();
    return folder;
  };
  const ports = { ...environment, openScan, openFolder };
  const build = new ShadowBuild(ports, { plan, built: versions, fillTopics: [] });
  build.advance();
  const isLong = longBuild < CLICKS;
  expect(folder !== null).toBe(isLong);
  if (isLong) await until('the threads run', () => scan?.ready && folder?.ready);
  let ahead = 0;
  while (!build.caughtUp || build.waits) {
    build.check();
    if (!build.waits) build.advance();
    if (scan?.isAhead) ahead++;
    await new Promise(resolve => setImmediate(resolve));
  }
  const { position, ledger } = build.finish();
  await environment.log.close();
  expect(ahead > 0).toBe(isLong);
  expect(decoded > 0).toBe(isLong);
  return Promise.all(
    versions.map(async ({ version }) => {
      const reader = openViewFileReader(viewDir(dataDir, version));
      const rows = [...reader.range({})].map(
        ({ key, value }) => `${Buffer.from(key).toString('hex')} ${Buffer.from(value).toString('hex')}`,
      );
      await reader.close();
      return [`${position} ${JSON.stringify(ledger)}`, ...rows];
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
      value: click(n + i),
      timestamp: n + i,
    }));
    await log.append({ records }).durable;
  }
  await log.seal();
  await log.close();
  const alone = await built(dataDir, Number.POSITIVE_INFINITY);
  const slow = Array.from({ length: CLICKS }, (_, n) => n).filter(n => n % 50 > 20 && n % 3_000 !== 1);
  expect(alone.map(rows => rows.length)).toEqual([5_001, slow.length + 1]);
  expect(await built(dataDir, 1)).toEqual(alone);
});
