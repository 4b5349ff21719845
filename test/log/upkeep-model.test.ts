import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import type { LogRecord } from '../../src/core/log-record.ts';
import { TICK_TOPIC } from '../../src/core/log-record.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';
import { isWhole, verifyLog } from '../../src/log/embedded/verify.ts';
import type { Append, EventLog, LogReader } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { readAll, utf8 } from '../contract/event-log.contract.ts';
import { settled } from './log-folder.ts';
import { append, makeTopics } from './log-steps.ts';

type Step =
  | { readonly do: 'append'; readonly append: Append; readonly wait: number }
  | {
      readonly do: 'trim' | 'compact';
      readonly topic: string;
      readonly part: number;
      readonly tombstones: number;
    }
  | { readonly do: 'tick' }
  | { readonly do: 'seal' }
  | { readonly do: 'reopen' };

const upkeep = fc.record({
  do: fc.constantFrom('trim' as const, 'compact' as const),
  topic: fc.constantFrom('a', 'b', 'c'),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
  tombstones: fc.double({ min: 0, max: 1, noNaN: true }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('append' as const), append, wait: fc.nat(5) }) },
  { weight: 4, arbitrary: upkeep },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>({ do: 'tick' }, { do: 'seal' }, { do: 'reopen' }),
  },
);

/** ticks and what is gone read alike, and how much of the beginning is left is for each adapter to know */
function records(log: LogReader, from = 0, to?: number, maxRecords?: number): LogRecord[] {
  return readAll(log, from, to, maxRecords).filter(r => r.topic !== TICK_TOPIC);
}

/** What may be asked of a log, but for ticks. */
function answers(log: EventLog) {
  const keys = ['x', 'y', '', 'k'.repeat(600)].map(utf8);
  const numbers = Array.from({ length: log.end() + 1 }, (_, i) => i);
  return {
    end: log.end(),
    time: log.lastAppendTime(),
    topics: log.topics(),
    acts: log.acts(),
    all: records(log),
    inSmallBlocks: records(log, 2, log.end() - 1, 3),
    byKey: ['a', 'b'].flatMap(t =>
      keys.map(k => [log.byKey(t, k), log.byKey(t, k, 5, 2), log.lastByKey(t, k)]),
    ),
    browsed: ['a', 'b', 'c'].map(t => [log.readTopic(t, { fromOffset: 1, limit: 4 }), log.lastRecords(t, 3)]),
    lastOfPartition: log.readTopic('b', { partition: 2, fromOffset: 1, limit: 3 }),
    single: numbers.map(seq => log.record(seq)).filter(r => r?.topic !== TICK_TOPIC && r !== null),
    offsets: numbers.map(seq => log.offsetsAt('b', seq)),
    sequences: numbers.map(offset => log.seqAtOffset('b', 1, offset)),
  };
}

/** The clock as a reader of [from, end) sees it move. */
function clockOf(log: LogReader, from: number): [number, number][] {
  return readAll(log, from).map(r => [r.seq, r.appendTime]);
}

test('whatever is taken, sealed and opened again, in any order: the answers are those of the memory log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      const dir = mkdtempSync(join(tmpdir(), 'millrace-log-'));
      const clock = new ManualClock(1_000);
      const model = createMemoryLog({ clock });
      let log = await openEmbeddedLog({ dir, clock, sealAfter: 40 });
      makeTopics(model);
      makeTopics(log);
      try {
        for (const s of steps) {
          clock.advance(s.do === 'append' ? s.wait : 1);
          if (s.do === 'append') {
            log.append(s.append);
            model.append(s.append);
          } else if (s.do === 'tick') {
            model.tick(clock.now());
            log.tick(clock.now());
          } else if (s.do === 'seal') await log.seal();
          else if (s.do === 'reopen') {
            await log.close();
            log = await openEmbeddedLog({ dir, clock, sealAfter: 40 });
          } else {
            await settled(log);
            const at = (part: number) => Math.floor(part * log.end());
            const order = { topic: s.topic, before: at(s.part), by: 'model' };
            const more = { ...order, tombstonesBefore: at(s.tombstones) };
            await (await (s.do === 'trim' ? log.trim(order) : log.compact(more))).reclaimed;
            await (s.do === 'trim' ? model.trim(order) : model.compact(more));
          }
        }
        await settled(log);
        expect(answers(log)).toEqual(answers(model));
        const from = Math.max(log.start(), model.start());
        expect(clockOf(log, from)).toEqual(clockOf(model, from));
        const reader = openLogReader(dir);
        expect(records(reader)).toEqual(records(model));
        expect(reader.topics()).toEqual(model.topics());
        await reader.close();
        expect(isWhole(await verifyLog(dir))).toBe(true);
      } finally {
        await log.close();
        rmSync(dir, { recursive: true });
      }
    }),
    { numRuns: process.env.MILLRACE_LONG === '1' ? 500 : 40 },
  );
}, 300_000);
