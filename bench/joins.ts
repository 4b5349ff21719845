import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ManualClock } from '../src/core/clock.ts';
import { createEngine } from '../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../src/expr/library.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import type { LogReader } from '../src/log/event-log.ts';
import type { DeploymentPlan } from '../src/plan/plan.ts';
import { type Bench, type Figure, inOwnProcess, interleaved, median, ratio, runBench } from './bench.ts';
import type { KeyedJoin } from './contenders/keyed-join.ts';
import { authorizationAttempts, CARDS, cardHolders } from './events.ts';
import { ATTEMPTS_SOURCE, planned } from './fraud.ts';
import { ATTEMPTS, fill, temporaryFolder } from './history.ts';
import { parseAll } from './parse-all.ts';

const EPOCH = 16_384;
const HOLDERS = 'card-holders';

const ENRICHED = `${ATTEMPTS_SOURCE}
CREATE TABLE holders (card STRING PRIMARY KEY, holder STRING, tier STRING, credit DECIMAL(10, 2))
  WITH (kafka_topic = '${HOLDERS}', value_format = 'JSON');

CREATE STREAM enriched AS
  SELECT card_number, attempt_id, amount, merchant, holder, tier, credit
  FROM attempts LEFT JOIN holders ON attempts.card_number = holders.card EMIT CHANGES;
`;

const GROUPED = `${ATTEMPTS_SOURCE}
CREATE TABLE per_card AS
  SELECT card_number, COUNT(*) AS attempts, SUM(amount) AS amount
  FROM attempts GROUP BY card_number EMIT CHANGES;
`;

interface Timed {
  readonly ms: number;
}

const times = (all: readonly Timed[]): number[] => all.map(r => r.ms);

/** Stream with table, beside JSON.parse and a group-by of the same events. */
async function streamTable(count: number, rounds: number): Promise<readonly Figure[]> {
  const dir = temporaryFolder();
  const log = await openEmbeddedLog({ dir, clock: new ManualClock(0) });
  try {
    await fill(log, HOLDERS, cardHolders(HOLDERS));
    await fill(log, ATTEMPTS, authorizationAttempts({ topic: ATTEMPTS, count }));
    const [enriched, grouped] = [planned('enriched.sql', ENRICHED), planned('per_card.sql', GROUPED)];
    const { parse, group, enrich } = await interleaved<'parse' | 'group' | 'enrich', Timed>(
      {
        parse: () => parseAll(log, CARDS),
        group: () => run(log, grouped),
        enrich: () => {
          const { ms, rows } = run(log, enriched);
          if (rows !== count) throw new Error(`${rows} of ${count} attempts came out`);
          return { ms };
        },
      },
      rounds,
    );
    const rate = (all: readonly Timed[]) => (count / median(times(all))) * 1000;
    return [
      {
        name: 'enrich',
        what: 'stream with table: card attempts, each with its holder out of 100,000 (LEFT JOIN), seven columns out',
        value: rate(enrich),
        unit: 'events/s',
      },
      {
        name: 'enrich-by-group',
        what: 'the same by a plain group-by of the same attempts (COUNT, SUM per card)',
        value: ratio(times(enrich), times(group)),
        unit: 'x',
        floor: 0.8,
      },
      {
        name: 'enrich-by-parse',
        what: 'the same by JSON.parse of the attempts alone',
        value: ratio(times(enrich), times(parse)),
        unit: 'x',
      },
    ];
  } finally {
    await log.close();
    rmSync(dir, { recursive: true });
  }
}

/** The holders first, untimed; ms for the attempts, changes as columns. */
function run(log: LogReader, plan: DeploymentPlan): Timed & { readonly rows: number } {
  const engine = createEngine({
    plan,
    functions: standardLibrary,
    zone: 'UTC',
    writesTopic: () => false,
  });
  for (const block of log.read(0, CARDS, EPOCH)) engine.step(block);
  let rows = 0;
  const begun = performance.now();
  for (const block of log.scan(CARDS, undefined, EPOCH)) {
    for (const batches of engine.step(block).changes.values()) {
      for (const batch of batches) rows += batch.sel?.length ?? batch.n;
    }
  }
  return { ms: performance.now() - begun, rows };
}

const WHAT: Readonly<Record<KeyedJoin['kind'], (keys: string) => string>> = {
  'stream-stream': keys => `stream with stream within 10 s, each row meets one, ${keys} keys on each side`,
  'table-table': keys => `table with table, ${keys} keys on each side`,
  'group-by': keys => `yardstick: a plain group-by of as many keys, ${keys} (COUNT, SUM)`,
};

/** What the machine takes for one read of memory of the size of a table-table join's state, each where the last says. */
function memory(keys: readonly number[]): readonly Figure[] {
  return keys.map(n => {
    const places = n * 48;
    const memory = new Int32Array(places);
    // a full cycle without pattern: an odd step that is no neighbour, in steps of a cache line
    let at = 0;
    const lines = Math.floor(places / 16);
    const order = Int32Array.from({ length: lines }, (_, i) => i);
    for (let i = lines - 1; i > 0; i--) {
      at = Math.imul(at ^ i, 0x9e3779b1) >>> 0;
      const other = at % (i + 1);
      [order[i], order[other]] = [order[other] as number, order[i] as number];
    }
    for (let i = 0; i < lines; i++) {
      memory[(order[i] as number) * 16] = (order[(i + 1) % lines] as number) * 16;
    }
    const reads = 2_000_000;
    let place = 0;
    for (let i = 0; i < reads; i++) place = memory[place] as number;
    const begun = performance.now();
    for (let i = 0; i < reads; i++) place = memory[place] as number;
    const ms = performance.now() - begun;
    if (place % 16 !== 0) throw new Error('a read went astray');
    return {
      name: `memory-${n}`,
      what: `yardstick: one read of ${((places * 4) / 1e6).toFixed(0)} MB, the size of that state, where the last one says`,
      value: (ms / reads) * 1e6,
      unit: 'ns',
    };
  });
}

/** A join over states of growing size, in turns: what an event costs must not grow with them. */
async function growing(kind: KeyedJoin['kind'], keys: readonly number[], rounds: number): Promise<Figure[]> {
  const results = await interleaved<string, KeyedJoin>(
    Object.fromEntries(
      keys.map(n => [
        String(n),
        () => inOwnProcess<KeyedJoin>(join('contenders', 'keyed-join.ts'), [kind, String(n)]),
      ]),
    ),
    rounds,
  );
  const costs = keys.map(n => (results[String(n)] ?? []).map(r => r.ms / r.events));
  return keys.flatMap((n, i): Figure[] => {
    const all = results[String(n)] ?? [];
    const figures: Figure[] = [
      {
        name: `${kind}-${n}`,
        what: `${WHAT[kind](n.toLocaleString('en'))}: an event`,
        value: median(costs[i] ?? []) * 1e6,
        unit: 'ns',
      },
      {
        name: `${kind}-${n}-state`,
        what: kind === 'group-by' ? 'a key' : 'a key, of both sides',
        value: median(all.map(r => r.stateBytes / n)),
        unit: 'bytes',
      },
    ];
    if (i === 0) return figures;
    const growth = median((costs[i] ?? []).map((c, round) => c / (costs[0]?.[round] ?? Number.NaN)));
    return [
      ...figures,
      {
        name: `${kind}-${n}-by-first`,
        what: `an event, by one of ${keys[0]?.toLocaleString('en')} keys`,
        value: growth,
        unit: 'x',
      },
    ];
  });
}

const bench: Bench = {
  name: 'joins',
  title: 'what joins cost per event and per key; decoding included, changes as columns',
  async run({ quick }) {
    const rounds = quick ? 1 : 3;
    const keys = quick ? [1_000, 2_000] : [10_000, 100_000, 1_000_000];
    return [
      ...(await streamTable(quick ? 50_000 : 1_000_000, quick ? 1 : 5)),
      ...(await growing('stream-stream', keys, rounds)),
      ...(await growing('table-table', keys, rounds)),
      ...(await growing('group-by', keys, rounds)),
      ...memory(keys),
    ];
  },
};

if (import.meta.main) await runBench(bench);
