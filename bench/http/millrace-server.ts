import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRequest } from '../../src/commands/command-request.ts';
import { startMillrace } from '../../src/main.ts';
import { percentile } from '../bench.ts';
import { commandBody, type Loaded } from './load.ts';
import { answering } from './served.ts';

/** A whole Millrace on a data folder and a folder of views, without reactions and sample history. */

export interface MillraceServer {
  readonly dataDir: string;
  readonly viewsDir: string;
  readonly watch?: boolean | undefined;
}

const { dataDir, viewsDir, watch = false } = JSON.parse(process.argv[2] ?? '') as MillraceServer;
const pipelinesDir = join(viewsDir, '..', 'pipelines');
mkdirSync(pipelinesDir, { recursive: true });
const millrace = await startMillrace({
  dataDir,
  viewsDir,
  pipelinesDir,
  port: 0,
  sample: false,
  quiet: true,
  watch,
  announce: false,
});
await millrace.caughtUp();

answering(
  { port: Number(new URL(millrace.url).port) },
  {
    /** Commands in this process, so many under way at a time. */
    async inProcess(value) {
      const { clients, seconds, prefix } = value as { clients: number; seconds: number; prefix: string };
      const latencies: number[] = [];
      const begun = performance.now();
      const until = begun + seconds * 1000;
      let sent = 0;
      const client = async (): Promise<void> => {
        while (performance.now() < until) {
          const n = sent++;
          const at = performance.now();
          await millrace.commands.submit(decodeRequest(Buffer.from(commandBody(n)), `${prefix}-${n}`));
          latencies.push(performance.now() - at);
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      const took = (performance.now() - begun) / 1000;
      return {
        perSecond: sent / took,
        requests: sent,
        refused: 0,
        p50: percentile(latencies, 0.5),
        p99: percentile(latencies, 0.99),
        p999: percentile(latencies, 0.999),
        max: percentile(latencies, 1),
        loaderCores: 0,
      } satisfies Loaded;
    },
    /** Drops the file of a view. */
    drop(value) {
      const [name, text] = value as [string, string];
      writeFileSync(join(viewsDir, `${name}.sql`), text);
    },
    states: () => millrace.views.list().map(v => [v.name, v.state, v.build?.fraction ?? null]),
    caughtUp: () => millrace.caughtUp(),
  },
  () => millrace.stop(),
);
