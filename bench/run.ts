import { benchEnrich } from './enrich.ts';
import { benchLog } from './log.ts';
import { benchReplay } from './replay.ts';

/** `npm run bench`: every figure in one run, as JSON. Fails when the replay is slower than its floor. */

const FLOOR = 0.6;

const print = (name: string, figures: unknown): void => {
  process.stdout.write(`${JSON.stringify({ [name]: figures }, null, 2)}\n`);
};

print('log', await benchLog());
print('enrich', await benchEnrich());
const replay = await benchReplay();
print('replay', replay);
process.stdout.write(
  `replay: ${replay.eventsPerSecond} events/s, ${replay.ratio} x JSON.parse alone (floor ${FLOOR})\n`,
);
if (replay.ratio < FLOOR) process.exitCode = 1;
