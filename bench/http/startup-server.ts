import { mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import type { MillraceServer } from './millrace-server.ts';

/** Starts, waits until every view answers, and ends; tells how long it took from the start of the process. */

// as `millrace start` does
process.env.NODE_COMPILE_CACHE ??= enableCompileCache().directory;
const { startMillrace } = await import('../../src/main.ts');
const { dataDir, viewsDir } = JSON.parse(process.argv[2] ?? '') as MillraceServer;
const pipelinesDir = join(viewsDir, '..', 'pipelines');
mkdirSync(pipelinesDir, { recursive: true });
const millrace = await startMillrace({
  dataDir,
  viewsDir,
  pipelinesDir,
  port: 0,
  sample: false,
  quiet: true,
  watch: false,
  announce: false,
});
await millrace.caughtUp();
for (const { name } of millrace.views.list()) {
  const answer = await fetch(`${millrace.url}/views/${name}?limit=1`);
  if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`);
}
const seconds = performance.now() / 1000;
await millrace.stop();
process.stdout.write(`${JSON.stringify({ seconds })}\n`);
process.exit(0);
