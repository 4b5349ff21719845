import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { armFaultPoints } from '../../src/core/fault-points.ts';
import { skewedClock } from './lean-clock.ts';
import { runLoad } from './lean-load.ts';
import { startLean, writeViews } from './lean-server.ts';

/**
 * A process to be killed: runs over the folder of its first argument under load and writes what it does to the file
 * `trace` there. The second argument is JSON: what `runLoad` needs, and `stopAfter`, ms after which it ends by itself.
 */
const dir = process.argv[2] ?? '';
const { seed, first, again, start, idle, stopAfter } = JSON.parse(process.argv[3] ?? '{}');
armFaultPoints(process.env.MILLRACE_FAULTS, () => process.kill(process.pid, 'SIGKILL'));
const trace = openSync(join(dir, 'trace'), 'a');
const said = (line: string): void => {
  writeSync(trace, `${line}\n`);
};
writeViews(dir, 1);
const clock = skewedClock(start, seed);
const server = await startLean({
  dir,
  clock,
  reacts: seq => said(`r ${seq}`),
  onReport: text => said(`! ${text}`),
});
said('ready');
if (!idle) runLoad({ server, dir, said, seed, first, again });
if (stopAfter !== undefined) {
  setTimeout(() => void server.stop().then(() => process.exit(0)), stopAfter);
}
// nobody waits for it any more
setTimeout(() => process.exit(3), 60_000);
