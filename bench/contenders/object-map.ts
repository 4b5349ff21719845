import { logDir } from '../../src/dataflow/worker-environment.ts';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';
import { type Attempt, MORE_THAN, timed, WINDOW } from '../fraud.ts';

/**
 * What one writes by hand for this one query: JSON.parse, a Map of windows of Maps of cards, no file, no checkpoint, no
 * grace: `node bench/contenders/object-map.ts <data folder>`.
 */

const [dataDir = ''] = process.argv.slice(2);
const { result, ...spent } = await timed(async () => {
  const log = openLogReader(logDir(dataDir));
  const windows = new Map<number, Map<string, { n: number; cents: number }>>();
  let events = 0;
  for (const block of log.scan(0, undefined, 16_384)) {
    const bytes = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.byteLength);
    for (let i = 0; i < block.n; i++) {
      const start = block.valueStart[i] as number;
      const { card_number, amount, ts } = JSON.parse(
        bytes.toString('utf8', start, block.valueEnd[i]),
      ) as Attempt;
      const window = Math.floor(ts / WINDOW);
      let cards = windows.get(window);
      if (cards === undefined) {
        cards = new Map();
        windows.set(window, cards);
      }
      const cents = Math.round(amount * 100);
      const group = cards.get(card_number);
      if (group === undefined) cards.set(card_number, { n: 1, cents });
      else {
        group.n++;
        group.cents += cents;
      }
    }
    events += block.n;
  }
  await log.close();
  let groups = 0;
  let attempts = 0;
  let cents = 0;
  for (const cards of windows.values()) {
    for (const group of cards.values()) {
      if (group.n <= MORE_THAN) continue;
      groups++;
      attempts += group.n;
      cents += group.cents;
    }
  }
  return { events, groups, attempts, cents };
});
process.stdout.write(
  `${JSON.stringify({ contender: 'JSON.parse and Maps by hand', ...result, ...spent })}\n`,
);
