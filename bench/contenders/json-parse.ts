import { logDir } from '../../src/dataflow/worker-environment.ts';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';
import { timed } from '../fraud.ts';
import { parseAll } from '../parse-all.ts';

/** The yardstick, over the same log: `node bench/contenders/json-parse.ts <data folder>`. */

const [dataDir = ''] = process.argv.slice(2);
const { result, ...spent } = await timed(async () => {
  const log = openLogReader(logDir(dataDir));
  const { events } = parseAll(log);
  await log.close();
  return { events };
});
process.stdout.write(`${JSON.stringify({ contender: 'JSON.parse', ...result, ...spent })}\n`);
