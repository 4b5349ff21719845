import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { TICK_TOPIC } from '../../src/core/log-record.ts';
import type { CompactOrder, EventLog, TrimOrder } from '../../src/log/event-log.ts';
import type { LogUnderTest } from './event-log.contract.ts';
import { line, readAll, rec, text, utf8 } from './event-log.contract.ts';

const WITHOUT_GAPS = (log: EventLog) => readAll(log).filter(r => r.topic !== TICK_TOPIC);

/** What every adapter of the event log does when records are taken from it. `sealed`: of a log that was sealed before. */
export function logUpkeepContract(name: string, under: LogUnderTest, sealed: boolean): void {
  describe(`upkeep of the event log: ${name}`, () => {
    let clock: ManualClock;
    let log: EventLog;

    /** a: orders with keys k0..k2, b: others; one record an append, 10 ms apart, alternating */
    beforeEach(async () => {
      clock = new ManualClock(1_000);
      log = await under.open(clock);
      log.createTopic({ name: 'a', partitions: 2, keyIndex: true });
      log.createTopic({ name: 'b', partitions: 1, keyIndex: false });
      for (let i = 0; i < 12; i++) {
        clock.set(1_000 + 10 * i);
        const headers = i % 4 === 0 ? [{ name: 'h', value: utf8(`${i}`) }] : [];
        const record = i % 2 === 0 ? rec('a', `k${i % 3}`, `a${i}`, { headers }) : rec('b', null, `b${i}`);
        log.append({ records: [record] });
        await log.append({ records: [] }).durable;
      }
      if (sealed) await log.seal();
    });
    afterEach(() => under.dispose(log));

    const trim = async (order: Partial<TrimOrder>) => {
      const done = await log.trim({ topic: 'a', before: 6, by: 'ada', ...order });
      await done.reclaimed;
      return done.act;
    };
    const compact = async (order: Partial<CompactOrder> = {}) => {
      const done = await log.compact({ topic: 'a', before: log.end(), by: 'ada', ...order });
      await done.reclaimed;
      return done.act;
    };

    describe('trimming', () => {
      test('takes the records of one topic below a sequence; the others stay where they are', async () => {
        const before = WITHOUT_GAPS(log).map(line);
        await trim({ before: 6 });
        expect(WITHOUT_GAPS(log).map(line)).toEqual(
          before.filter(l => !l.includes(' a/') || Number(l.split(' ')[0]) >= 6),
        );
      });

      test('moves the clock of whoever reads as before', async () => {
        const clockOf = () => readAll(log, 2).map(r => [r.seq, r.appendTime]);
        const before = clockOf();
        await trim({ before: 12 });
        expect(clockOf()).toEqual(before);
      });

      test('is seen by every way of reading', async () => {
        await trim({ before: 6 });
        expect([0, 2, 4].map(seq => log.record(seq))).toEqual([null, null, null]);
        expect(text(log.record(6)?.value)).toBe('a6');
        expect(text(log.record(1)?.value)).toBe('b1');
        expect(log.readTopic('a', { limit: 10 }).map(r => r.seq)).toEqual([6, 8, 10]);
        expect(log.lastRecords('a', 10).map(r => r.seq)).toEqual([6, 8, 10]);
        expect(log.byKey('a', utf8('k0')).map(r => r.seq)).toEqual([6]);
        expect(log.lastByKey('a', utf8('k1'))?.seq).toBe(10);
        await trim({ before: 12 });
        expect(log.lastByKey('a', utf8('k1'))).toBeNull();
      });

      test('is told by the topic: its floor, its first offsets, the time from which it has all', async () => {
        expect(log.topic('a')).not.toHaveProperty('floor');
        await trim({ before: 6 });
        const kept = WITHOUT_GAPS(log).filter(r => r.topic === 'a');
        const starts = [0, 1].map(p => kept.find(r => r.partition === p)?.offset ?? log.topic('a')?.ends[p]);
        expect(log.topic('a')).toMatchObject({
          records: 6,
          floor: { floor: 6, since: 1_060, starts, compacted: 0 },
        });
        expect(log.topic('b')).not.toHaveProperty('floor');
      });

      test('of all there is leaves a log that goes on', async () => {
        await trim({ topic: 'a', before: 12 });
        await trim({ topic: 'b', before: 12 });
        expect(WITHOUT_GAPS(log)).toEqual([]);
        const appended = log.append({ records: [rec('a', 'k0', 'next'), rec('b', null, 'too')] });
        await appended.durable;
        if (sealed) await log.seal();
        expect(WITHOUT_GAPS(log).map(r => text(r.value))).toEqual(['next', 'too']);
        expect(appended.records[0]?.seq).toBe(12);
        expect(log.byKey('a', utf8('k0')).map(r => r.seq)).toEqual([12]);
      });

      test('never moves a floor back', async () => {
        await trim({ before: 6 });
        await trim({ before: 2 });
        expect(log.topic('a')?.floor?.floor).toBe(6);
        expect(log.readTopic('a', { limit: 10 }).map(r => r.seq)).toEqual([6, 8, 10]);
      });

      test('beyond the end, or of a topic that is not there, is refused', async () => {
        await expect(log.trim({ topic: 'a', before: 13, by: 'ada' })).rejects.toMatchObject({
          code: 'invalid_argument',
        });
        await expect(log.trim({ topic: 'c', before: 1, by: 'ada' })).rejects.toMatchObject({
          code: 'unknown_topic',
        });
        expect(log.acts()).toEqual([]);
      });
    });

    describe('compaction', () => {
      test('keeps the last record of each key, with its sequence, offset, time and headers', async () => {
        const last = ['k0', 'k1', 'k2'].map(key => log.lastByKey('a', utf8(key)));
        await compact();
        const kept = WITHOUT_GAPS(log).filter(r => r.topic === 'a');
        expect(kept).toEqual(last.toSorted((x, y) => x!.seq - y!.seq));
        expect(WITHOUT_GAPS(log).filter(r => r.topic === 'b')).toHaveLength(6);
        expect(log.topic('a')?.floor).toMatchObject({ compacted: 12, floor: 0 });
      });

      test('below a sequence leaves what lies above, and what only that replaces', async () => {
        await compact({ before: 8 });
        // k0: 0 6, k2: 2 8, k1: 4 10
        expect(log.readTopic('a', { limit: 10 }).map(r => r.seq)).toEqual([2, 4, 6, 8, 10]);
        expect(log.byKey('a', utf8('k0')).map(r => r.seq)).toEqual([6]);
        expect(log.byKey('a', utf8('k2')).map(r => r.seq)).toEqual([2, 8]);
      });

      test('keeps records without a key', async () => {
        await log.append({ records: [rec('a', null, 'x'), rec('a', null, 'y')] }).durable;
        await compact();
        expect(log.readTopic('a', { limit: 10 }).map(r => text(r.value))).toEqual([
          'a6',
          'a8',
          'a10',
          'x',
          'y',
        ]);
      });

      test('leaves gaps of offsets that count for nothing: the first offset from a sequence on is that of a record', async () => {
        await compact();
        for (let seq = 0; seq <= 12; seq++) {
          const later = log.readTopic('a', { limit: 10 }).filter(r => r.seq >= seq);
          expect(log.offsetsAt('a', seq), `from ${seq}`).toEqual(
            [0, 1].map(p => later.find(r => r.partition === p)?.offset ?? log.topic('a')?.ends[p]),
          );
        }
        await trim({ before: 12 });
        expect(log.topic('a')?.floor?.starts).toEqual(log.topic('a')?.ends);
      });

      test('keeps the place of what it leaves: offsets have gaps, reading by offset goes over them', async () => {
        const before = log.readTopic('a', { limit: 10 });
        await compact();
        for (const partition of [0, 1]) {
          for (let fromOffset = 0; fromOffset < 7; fromOffset++) {
            const expected = before.filter(
              r => r.partition === partition && r.offset >= fromOffset && [6, 8, 10].includes(r.seq),
            );
            const found = log.readTopic('a', { partition, fromOffset, limit: 10 });
            expect(found).toEqual(expected);
            expect(log.seqAtOffset('a', partition, fromOffset)).toBe(expected[0]?.seq ?? log.end());
          }
        }
        expect(log.lastRecords('a', 2).map(r => r.seq)).toEqual([8, 10]);
      });

      test('a tombstone stays for the first compaction, and goes with a later one that may take it', async () => {
        await log.append({ records: [rec('a', 'k0', null)] }).durable;
        await compact({ tombstonesBefore: 13 });
        expect(log.lastByKey('a', utf8('k0'))).toMatchObject({ seq: 12, value: null });
        await compact({ tombstonesBefore: 12 });
        expect(log.lastByKey('a', utf8('k0'))).toMatchObject({ seq: 12 });
        await compact({ tombstonesBefore: 13 });
        expect(log.lastByKey('a', utf8('k0'))).toBeNull();
        expect(log.readTopic('a', { limit: 10 }).map(r => r.seq)).toEqual([8, 10]);
      });

      test('again, and of what came meanwhile', async () => {
        await compact();
        await log.append({ records: [rec('a', 'k1', 'new'), rec('a', 'k9', 'new')] }).durable;
        if (sealed) await log.seal();
        await compact();
        expect(log.readTopic('a', { limit: 10 }).map(r => r.seq)).toEqual([6, 8, 12, 13]);
      });
    });

    test('acts are remembered: who, when, what, and which views lost their history', async () => {
      clock.set(5_000);
      const first = await trim({ before: 6, incomplete: ['totals'] });
      clock.set(6_000);
      const second = await compact({ before: 8, by: 'bob' });
      expect(log.acts()).toEqual([first, second]);
      expect(log.acts()).toEqual([
        { n: 1, at: 5_000, by: 'ada', kind: 'trim', topic: 'a', before: 6, incomplete: ['totals'] },
        { n: 2, at: 6_000, by: 'bob', kind: 'compact', topic: 'a', before: 8, incomplete: [] },
      ]);
      expect(log.upkeep()).toBeNull();
    });
  });
}
