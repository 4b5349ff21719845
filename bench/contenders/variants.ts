import { createHash } from 'node:crypto';
import { viewDir } from '../../src/dataflow/worker-environment.ts';
import { openViewFileReader } from '../../src/view-store/view-file.ts';
import { checkpointedReplay } from '../checkpointed-replay.ts';
import { planned } from '../fraud.ts';
import { variantName, variants } from '../view-variants.ts';

/**
 * Views over one topic: `node bench/contenders/variants.ts <data folder> <views>` replays so many at once;
 * with `alone` behind it each of them by itself, one after the other.
 */

export interface VariantsContended {
  readonly ms: number;
  readonly events: number;
  readonly stateBytes: number;
  /** per view how many rows it has and a digest of them all */
  readonly rows: readonly string[];
}

const [dataDir = '', views = '1', how = 'together'] = process.argv.slice(2);
const count = Number(views);

async function storedRows(i: number): Promise<string> {
  const reader = openViewFileReader(viewDir(dataDir, variantName(i)));
  const digest = createHash('sha256');
  let n = 0;
  for (const { key, value } of reader.range({})) {
    digest.update(`${key.length} ${value.length} `).update(key).update(value);
    n++;
  }
  await reader.close();
  return `${n} ${digest.digest('hex')}`;
}

async function replayed(number: number, from: number): Promise<VariantsContended> {
  const plan = planned('variants.sql', variants(number, from));
  const begun = performance.now();
  const { position, sizes } = await checkpointedReplay(dataDir, plan);
  const ms = performance.now() - begun;
  const rows: string[] = [];
  for (let i = from; i < from + number; i++) rows.push(await storedRows(i));
  return { ms, events: position, stateBytes: sizes.reduce((sum, s) => sum + s.bytes, 0), rows };
}

let contended: VariantsContended;
if (how === 'alone') {
  const all: VariantsContended[] = [];
  for (let i = 0; i < count; i++) all.push(await replayed(1, i));
  contended = {
    ms: all.reduce((sum, r) => sum + r.ms, 0),
    events: all[0]?.events ?? 0,
    stateBytes: all.reduce((sum, r) => sum + r.stateBytes, 0),
    rows: all.flatMap(r => r.rows),
  };
} else contended = await replayed(count, 0);
process.stdout.write(`${JSON.stringify(contended)}\n`);
