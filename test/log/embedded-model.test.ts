import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { openLogReader } from '../../src/log/embedded/log-reader.ts';
import type { Append, EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { readAll, utf8 } from '../contract/event-log.contract.ts';
import { settled } from './log-folder.ts';
import { append, makeTopics } from './log-steps.ts';

type Step =
  | { readonly do: 'append'; readonly append: Append; readonly wait: number }
  | { readonly do: 'tick'; readonly wait: number }
  | { readonly do: 'settle' | 'seal' | 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('append' as const), append, wait: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tick' as const), wait: fc.nat(5) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'seal' as const, 'reopen' as const) }),
  },
);

/** Everything that may be asked of a log. */
function answers(log: EventLog) {
  const keys = ['x', 'y', '', 'k'.repeat(600)].map(utf8);
  return {
    end: log.end(),
    time: log.lastAppendTime(),
    topics: log.topics(),
    positions: ['h', 'i', 'j'].map(h => log.position(h)),
    all: readAll(log),
    inSmallBlocks: readAll(log, 2, log.end() - 1, 3),
    byKey: ['a', 'b'].flatMap(t =>
      keys.map(k => [log.byKey(t, k), log.byKey(t, k, 5, 2), log.lastByKey(t, k)]),
    ),
    browsed: ['a', 'b', 'c'].map(t => [log.readTopic(t, { fromOffset: 1, limit: 4 }), log.lastRecords(t, 3)]),
    lastOfPartition: log.readTopic('b', { partition: 2, fromOffset: 1, limit: 3 }),
    single: [0, 1, log.end() - 1, log.end()].map(seq => log.record(seq)),
    times: [0, 1_003, 1_010, 1_050].map(ms => log.seqAtTime(ms)),
  };
}

test('whatever is appended, sealed and opened again, in any order: the answers are those of the memory log', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const dir = mkdtempSync(join(tmpdir(), 'millrace-log-'));
      const clock = new ManualClock(1_000);
      const model = createMemoryLog({ clock });
      let log = await openEmbeddedLog({ dir, clock, sealAfter: 40 });
      makeTopics(model);
      makeTopics(log);
      try {
        for (const s of steps) {
          if (s.do === 'append') {
            clock.advance(s.wait);
            const { durable: _, ...given } = log.append(s.append);
            expect(model.append(s.append)).toMatchObject(given);
            for (const k of ['x', 'y'].map(utf8)) {
              expect(log.lastByKey('b', k)).toEqual(model.lastByKey('b', k));
              expect(log.byKey('a', k, 3)).toEqual(model.byKey('a', k, 3));
            }
          } else if (s.do === 'tick') {
            clock.advance(s.wait);
            model.tick(clock.now());
            log.tick(clock.now());
          } else if (s.do === 'settle') await settled(log);
          else if (s.do === 'seal') await log.seal();
          else {
            await log.close();
            log = await openEmbeddedLog({ dir, clock, sealAfter: 40 });
            expect(log.recovery).toEqual([]);
          }
        }
        await settled(log);
        expect(answers(log)).toEqual(answers(model));
        const reader = openLogReader(dir);
        expect(readAll(reader)).toEqual(readAll(model));
        expect(reader.topics()).toEqual(model.topics());
        await reader.close();
      } finally {
        await log.close();
        rmSync(dir, { recursive: true });
      }
    }),
    { numRuns: process.env.MILLRACE_LONG === '1' ? 500 : 40 },
  );
}, 120_000);
