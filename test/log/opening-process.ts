import { systemClock } from '../../src/core/clock.ts';
import { MillraceError } from '../../src/core/errors.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';

/** Tries to open a log and prints what came of it. */
try {
  const log = await openEmbeddedLog({ dir: process.argv[2] ?? '', clock: systemClock });
  await log.close();
  console.log('opened');
} catch (error) {
  if (!(error instanceof MillraceError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
