import { readFileSync } from 'node:fs';
import alasql from 'alasql';
import { type Attempt, MORE_THAN, timed, WINDOW } from '../fraud.ts';

/** alasql over rows that are parsed already, as a batch query: `node bench/contenders/alasql.ts <lines>`. */

const [lines = ''] = process.argv.slice(2);
const rows = readFileSync(lines, 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => {
    const { card_number, amount, ts } = JSON.parse(line) as Attempt;
    return { card_number, cents: Math.round(amount * 100), w: Math.floor(ts / WINDOW) };
  });
const { result, ...spent } = await timed(
  () =>
    alasql(
      `SELECT card_number, w, COUNT(*) AS attempts, SUM(cents) AS cents FROM ? GROUP BY card_number, w
       HAVING COUNT(*) > ${MORE_THAN}`,
      [rows],
    ) as { readonly attempts: number; readonly cents: number }[],
);
process.stdout.write(
  `${JSON.stringify({
    contender: 'alasql',
    events: rows.length,
    groups: result.length,
    attempts: result.reduce((sum, r) => sum + r.attempts, 0),
    cents: result.reduce((sum, r) => sum + r.cents, 0),
    ...spent,
  })}\n`,
);
