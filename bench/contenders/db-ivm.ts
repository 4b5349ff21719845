import { readFileSync } from 'node:fs';
import { D2, filter, groupBy, groupByOperators, MultiSet, output } from '@tanstack/db-ivm';
import { type Attempt, MORE_THAN, timed, WINDOW } from '../fraud.ts';

/**
 * TanStack db-ivm over rows that are parsed already, incrementally, in epochs as ours:
 * `node bench/contenders/db-ivm.ts <lines>`.
 */

const EPOCH = 16_384;

const [lines = ''] = process.argv.slice(2);
const rows = readFileSync(lines, 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => {
    const { card_number, amount, ts } = JSON.parse(line) as Attempt;
    return { card_number, cents: Math.round(amount * 100), w: Math.floor(ts / WINDOW) };
  });
type Parsed = (typeof rows)[number];

const graph = new D2();
const input = graph.newInput<Parsed>();
const view = new Map<string, { readonly attempts: number; readonly cents: number }>();
const { sum, count } = groupByOperators;
input.pipe(
  groupBy(({ card_number, w }: Parsed) => ({ card_number, w }), {
    attempts: count(),
    cents: sum(({ cents }: Parsed) => cents),
  }),
  filter(([, group]) => group.attempts > MORE_THAN),
  output(changes => {
    // deletions first: an epoch may bring the old and the new row of a group in any order
    for (const [[key], weight] of changes.getInner()) if (weight < 0) view.delete(key);
    for (const [[key, group], weight] of changes.getInner()) if (weight > 0) view.set(key, group);
  }),
);
graph.finalize();

const spent = await timed(() => {
  for (let at = 0; at < rows.length; at += EPOCH) {
    input.sendData(new MultiSet(rows.slice(at, at + EPOCH).map(row => [row, 1])));
    graph.run();
  }
});
const groups = [...view.values()];
process.stdout.write(
  `${JSON.stringify({
    contender: 'TanStack db-ivm',
    events: rows.length,
    groups: groups.length,
    attempts: groups.reduce((sum, g) => sum + g.attempts, 0),
    cents: groups.reduce((sum, g) => sum + g.cents, 0),
    ms: spent.ms,
    cpuMs: spent.cpuMs,
    peakMiB: spent.peakMiB,
  })}\n`,
);
