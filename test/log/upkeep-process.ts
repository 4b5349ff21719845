import { join } from 'node:path';
import { ManualClock } from '../../src/core/clock.ts';
import { armFaultPoints } from '../../src/core/fault-points.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { restoreLog } from '../../src/log/embedded/restore.ts';

/**
 * A process to be killed: does one thing with the log in the folder `log` of its first argument. The fault plan comes by
 * MILLRACE_FAULTS and is armed once the log is open.
 */
const [dir = '', what = ''] = process.argv.slice(2);
const arm = (): void =>
  armFaultPoints(process.env.MILLRACE_FAULTS, () => process.kill(process.pid, 'SIGKILL'));
if (what === 'restore') {
  arm();
  await restoreLog({ backup: join(dir, 'backup'), dir: join(dir, 'restored') });
} else {
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), clock: new ManualClock(9_000) });
  arm();
  const end = log.end();
  if (what === 'backup') await log.backUp({ folder: join(dir, 'backup') });
  else if (what === 'link') {
    // another segment grows from now on: only complete ones are linked
    await (await log.trim({ topic: 'a', before: 0, by: 'ada' })).reclaimed;
    await log.seal();
    await log.backUp({ folder: join(dir, 'backup'), link: true });
  } else {
    const order = { topic: 'a', before: end, by: 'ada' };
    const { reclaimed } = await (what === 'trim' ? log.trim(order) : log.compact(order));
    await reclaimed;
  }
  await log.close();
}
