import type { AppendRecord, CommandRequest, EventLog, Settled } from '../../src/index.ts';
import { cardAttempts } from './card-attempts.ts';
import { invoiceLives } from './invoice-lives.ts';
import { ordersAndStock } from './orders-and-stock.ts';
import { Random } from './random.ts';
import { siteTraffic } from './site-traffic.ts';
import { DAY, MINUTE, type Step } from './step.ts';

export interface SampleOptions {
  readonly log: EventLog;
  /** the invoice command runtime */
  readonly commands: { handleAt(request: CommandRequest, appendTime: number): Settled };
  /** the history ends here, ms; not in the future, or the clock of the log would run ahead */
  readonly until: number;
  readonly seed: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface SampleReport {
  readonly steps: number;
  readonly commands: number;
  readonly records: number;
  /** steps that an interrupted run had laid down already */
  readonly resumedAt: number;
}

const TOPICS = ['authorization-attempts', 'page-views', 'text-lines', 'orders', 'inventory'];
/** Records of one append lie within this time, and are not more than so many. */
const APPEND_SPAN = 10 * MINUTE;
const APPEND_RECORDS = 64;
const STEPS_PER_TURN = 1_000;

// Where an interrupted run stopped, and what it was laying down; kept as handler positions, so that each is written
// in the append that it speaks of.
const STEPS = 'sample/steps';
const SEED = 'sample/seed';
const UNTIL = 'sample/until';
const DONE = 'sample/done';

export function sampleState(log: EventLog): 'none' | 'partial' | 'done' {
  if (log.position(DONE) !== null) return 'done';
  return log.position(UNTIL) === null ? 'none' : 'partial';
}

/**
 * Lays down the sample history through the command runtime and the log, in order of time, at simulated append times. The
 * same seed and end give the same records. An interrupted run goes on where it stopped, with its own seed and end;
 * commands have fixed ids, so none counts twice. Do it before anything else is appended: ticks and reactions too. The
 * rest of a run that was interrupted is left out when the log has gone on beyond its end meanwhile.
 */
export async function layDownSample(options: SampleOptions): Promise<SampleReport> {
  const { log } = options;
  const state = sampleState(log);
  if (state === 'done') return { steps: 0, commands: 0, records: 0, resumedAt: 0 };
  const seed = log.position(SEED) ?? options.seed;
  const until = log.position(UNTIL) ?? options.until;
  const resumedAt = log.position(STEPS) ?? 0;
  if (log.lastAppendTime() > until) {
    // time has gone on without the rest: laid down now it would stand behind what came later
    await log.append({ records: [], positions: [{ handler: DONE, seq: 1 }] }).durable;
    return { steps: 0, commands: 0, records: 0, resumedAt };
  }
  const steps = sampleSteps(seed, until);
  for (const name of TOPICS) if (!log.topic(name)) log.createTopic({ name, partitions: 1, keyIndex: false });
  if (state === 'none') {
    const positions = [
      { handler: SEED, seq: seed },
      { handler: UNTIL, seq: until },
    ];
    log.append({ records: [], positions, appendTime: steps[0]?.at });
  }
  await layDown(options, steps, resumedAt);
  const end = log.append({
    records: [],
    positions: [
      { handler: STEPS, seq: steps.length },
      { handler: DONE, seq: 1 },
    ],
    appendTime: steps.at(-1)?.at,
  });
  await end.durable;
  options.onProgress?.(steps.length, steps.length);
  const commands = steps.filter(step => 'command' in step).length;
  return { steps: steps.length, commands, records: steps.length - commands, resumedAt };
}

/**
 * All steps in order of time, none after `until`. They depend on the seed and the day (UTC) of `until` alone, but for
 * where the last day is cut off. Attempts, page views and lines end with the day before.
 */
export function sampleSteps(seed: number, until: number): readonly Step[] {
  const end = Math.floor(until / DAY) * DAY;
  const lives = invoiceLives(new Random(seed), { end, days: 180, count: 3_000 });
  const steps = [
    ...lives,
    ...ordersAndStock(new Random(seed + 3), lives),
    ...cardAttempts(new Random(seed + 1), { until: end, days: 7, count: 50_000 }),
    ...siteTraffic(new Random(seed + 2), { until: end, days: 14, pageViews: 12_000, lines: 1_500 }),
  ].filter(step => step.at <= until);
  // The sort is stable: equal times keep the order in which they were made.
  return steps.sort((a, b) => a.at - b.at);
}

async function layDown(options: SampleOptions, steps: readonly Step[], from: number): Promise<void> {
  const { log, commands, onProgress } = options;
  let durable: Promise<void> = Promise.resolve();
  for (let i = from; i < steps.length; ) {
    const turnEnd = Math.min(steps.length, i + STEPS_PER_TURN);
    const previous = durable;
    while (i < turnEnd) {
      const step = steps[i] as Step;
      if ('command' in step) {
        commands.handleAt(step.command, step.at);
        i++;
      } else {
        const records = recordsFrom(steps, i);
        i += records.length;
        const appendTime = records.at(-1)?.timestamp;
        log.append({ records, positions: [{ handler: STEPS, seq: i }], appendTime });
      }
    }
    const appendTime = steps[i - 1]?.at;
    durable = log.append({ records: [], positions: [{ handler: STEPS, seq: i }], appendTime }).durable;
    onProgress?.(i, steps.length);
    await previous; // at most two turns wait for the disk
    await new Promise(resolve => setImmediate(resolve));
  }
  await durable;
}

/** The records from step i on that go into one append: up to the next command. */
function recordsFrom(steps: readonly Step[], i: number): AppendRecord[] {
  const first = steps[i] as Step;
  const records: AppendRecord[] = [];
  for (let k = i; k < steps.length && records.length < APPEND_RECORDS; k++) {
    const step = steps[k] as Step;
    if ('command' in step || step.at > first.at + APPEND_SPAN) break;
    const { topic, key, value } = step.record;
    records.push({
      topic,
      key: Buffer.from(key, 'utf8'),
      value: Buffer.from(JSON.stringify(value), 'utf8'),
      timestamp: step.at,
    });
  }
  return records;
}
