import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { MillraceError } from '../../src/core/errors.ts';
import type { LogRecord } from '../../src/core/log-record.ts';
import { recordAt, TICK_TOPIC } from '../../src/core/log-record.ts';
import type { AppendRecord, EventLog, LogReader } from '../../src/log/event-log.ts';
import { partitionOf } from '../../src/log/murmur2.ts';

export interface LogUnderTest {
  open(clock: ManualClock): Promise<EventLog>;
  /** closes the log and whatever it left behind */
  dispose(log: EventLog): Promise<void>;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array | null | undefined): string | null =>
  bytes == null ? null : new TextDecoder().decode(bytes);

export function rec(
  topic: string,
  key: string | null,
  value: string | null,
  more: Partial<AppendRecord> = {},
) {
  return { topic, key: key === null ? null : utf8(key), value: value === null ? null : utf8(value), ...more };
}

export function readAll(log: LogReader, from = 0, to?: number, maxRecords?: number): LogRecord[] {
  const records: LogRecord[] = [];
  for (const block of log.read(from, to, maxRecords)) {
    for (let i = 0; i < block.n; i++) records.push(recordAt(block, i));
  }
  return records;
}

/** One line per record: `seq topic/partition@offset key=value`. */
export function line(r: LogRecord): string {
  return `${r.seq} ${r.topic}/${r.partition}@${r.offset} ${text(r.key)}=${text(r.value)}`;
}

export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
    throw error;
  }
  return 'no error';
}

/** What every adapter of the event log must do. `sealed`: the same after everything was sealed. */
export function eventLogContract(name: string, under: LogUnderTest, sealed: boolean): void {
  describe(`event log: ${name}`, () => {
    let clock: ManualClock;
    let log: EventLog;

    beforeEach(async () => {
      clock = new ManualClock(1_000);
      log = await under.open(clock);
    });
    afterEach(() => under.dispose(log));

    const topic = (topicName: string, partitions = 1, keyIndex = false) =>
      log.createTopic({ name: topicName, partitions, keyIndex });

    /** Waits until everything accepted can be read, by the way the suite is run for. */
    async function settle(): Promise<void> {
      await log.append({ records: [] }).durable;
      if (sealed) await log.seal();
    }

    test('an empty log', () => {
      expect(log.id).toMatch(/^[A-Za-z0-9_]+$/);
      expect([log.start(), log.end(), log.lastAppendTime()]).toEqual([0, 0, 0]);
      expect(readAll(log)).toEqual([]);
      expect(log.record(0)).toBeNull();
      expect(log.topics()).toEqual([]);
      expect(log.topic('nothing')).toBeNull();
      expect(log.seqAtTime(0)).toBe(0);
      expect(log.recovery).toEqual([]);
    });

    describe('topics', () => {
      test('a topic is created once and found again', () => {
        const spec = { name: 'orders', partitions: 3, keyIndex: true };
        expect(log.createTopic(spec)).toEqual({ ...spec, ends: [0, 0, 0], records: 0 });
        expect(log.createTopic(spec)).toEqual(log.topic('orders'));
        expect(log.topics().map(t => t.name)).toEqual(['orders']);
      });

      test('other settings for a topic that exists are refused', () => {
        topic('orders', 3);
        expect(codeOf(() => topic('orders', 4))).toBe('topic_exists');
        expect(codeOf(() => topic('orders', 3, true))).toBe('topic_exists');
      });

      test.each(['', '.', '..', 'a b', 'a/b', TICK_TOPIC, 'x'.repeat(250)])(
        'the name "%s" is refused',
        bad => {
          expect(codeOf(() => topic(bad))).toBe('invalid_topic');
        },
      );

      test.each([0, -1, 1.5, 100_000])('%d partitions are refused', partitions => {
        expect(codeOf(() => topic('orders', partitions))).toBe('invalid_topic');
      });
    });

    describe('a replicated topic', () => {
      const copy = (partition: number, offset: number, value = 'v') =>
        rec('orders', 'k', value, { partition, offset });

      test('keeps the offsets that its records bring, with what they leave out', async () => {
        expect(log.replicateTopic('orders', 2)).toMatchObject({
          partitions: 2,
          ends: [0, 0],
          replicated: true,
        });
        const { records } = log.append({ records: [copy(0, 7, 'a'), copy(1, 0, 'b'), copy(0, 9, 'c')] });
        expect(records.map(r => [r.partition, r.offset, r.seq])).toEqual([
          [0, 7, 0],
          [1, 0, 1],
          [0, 9, 2],
        ]);
        log.append({ records: [copy(0, 1_000_000, 'd')] });
        await settle();
        expect(log.topic('orders')).toMatchObject({ ends: [1_000_001, 1], records: 4 });
        expect(readAll(log).map(line)).toEqual([
          '0 orders/0@7 k=a',
          '1 orders/1@0 k=b',
          '2 orders/0@9 k=c',
          '3 orders/0@1000000 k=d',
        ]);
        const from = (fromOffset: number) =>
          log.readTopic('orders', { partition: 0, fromOffset, limit: 2 }).map(r => r.offset);
        expect([from(0), from(8), from(10)]).toEqual([[7, 9], [9, 1_000_000], [1_000_000]]);
        expect(log.lastRecords('orders', 2).map(r => r.offset)).toEqual([9, 1_000_000]);
        expect(log.offsetsAt('orders', 1)).toEqual([9, 0]);
        expect(log.seqAtOffset('orders', 0, 8)).toBe(2);
      });

      test('refuses an offset that it has, and records that bring none; the append leaves no trace', async () => {
        log.replicateTopic('orders', 1);
        log.append({ records: [copy(0, 3)] });
        expect(codeOf(() => log.append({ records: [copy(0, 3)] }))).toBe('invalid_argument');
        expect(codeOf(() => log.append({ records: [copy(0, 5), copy(0, 4)] }))).toBe('invalid_argument');
        expect(codeOf(() => log.append({ records: [rec('orders', 'k', 'v')] }))).toBe('topic_protected');
        await settle();
        expect(log.topic('orders')).toMatchObject({ ends: [4], records: 1 });
      });

      test('a topic of the log itself takes no offsets', () => {
        topic('orders');
        expect(codeOf(() => log.append({ records: [copy(0, 0)] }))).toBe('invalid_argument');
      });

      test('grows by partitions, never shrinks', async () => {
        log.replicateTopic('orders', 1);
        log.append({ records: [copy(0, 5)] });
        expect(log.replicateTopic('orders', 3)).toMatchObject({ partitions: 3, ends: [6, 0, 0] });
        log.append({ records: [copy(2, 1)] });
        await settle();
        expect(log.replicateTopic('orders', 3)).toMatchObject({ ends: [6, 0, 2], records: 2 });
        expect(codeOf(() => log.replicateTopic('orders', 2))).toBe('topic_exists');
      });

      test('is made of an empty topic, not of one with records of its own', () => {
        topic('empty', 4);
        topic('full');
        log.append({ records: [rec('full', 'k', 'v')] });
        expect(log.replicateTopic('empty', 2)).toMatchObject({ partitions: 2, ends: [0, 0] });
        expect(codeOf(() => log.replicateTopic('full', 1))).toBe('topic_exists');
      });

      test('takes larger records than others', () => {
        log.replicateTopic('orders', 1);
        topic('own');
        const large = 'x'.repeat(2_000_000);
        expect(codeOf(() => log.append({ records: [rec('own', null, large)] }))).toBe('record_too_large');
        expect(codeOf(() => log.append({ records: [copy(0, 0, large)] }))).toBe('no error');
      });
    });

    describe('append', () => {
      test('gives sequences over all topics and offsets per partition, at once and in call order', async () => {
        topic('a', 2);
        topic('b');
        const first = log.append({
          records: [
            rec('a', null, '0', { partition: 1 }),
            rec('b', null, '1'),
            rec('a', null, '2', { partition: 1 }),
          ],
        });
        const second = log.append({ records: [rec('a', null, '3', { partition: 0 })] });
        expect(first.records).toEqual([
          { topic: 'a', partition: 1, offset: 0, seq: 0 },
          { topic: 'b', partition: 0, offset: 0, seq: 1 },
          { topic: 'a', partition: 1, offset: 1, seq: 2 },
        ]);
        expect(first.end).toBe(3);
        expect(second.records).toEqual([{ topic: 'a', partition: 0, offset: 0, seq: 3 }]);
        await second.durable;
        expect(log.end()).toBe(4);
        expect(log.topic('a')).toMatchObject({ ends: [1, 2], records: 3 });
      });

      test('a key goes to the partition that Kafka gives it; no key goes to partition 0', () => {
        topic('a', 5);
        const keys = ['alice', 'bob', 'carol', 'dave', null];
        const { records } = log.append({ records: keys.map(key => rec('a', key, '')) });
        expect(records.map(r => r.partition)).toEqual(
          keys.map(key => partitionOf(key === null ? null : utf8(key), 5)),
        );
      });

      test('a refused append leaves no trace', async () => {
        topic('a');
        const refused: [string, AppendRecord][] = [
          ['unknown_topic', rec('nowhere', null, '')],
          ['unknown_topic', rec(TICK_TOPIC, null, null)],
          ['invalid_argument', rec('a', null, '', { partition: 1 })],
          ['invalid_argument', rec('a', null, '', { timestamp: Number.NaN })],
          ['record_too_large', { topic: 'a', key: null, value: new Uint8Array((1 << 20) + 1) }],
          ['limit_exceeded', rec('a', null, '', { headers: [{ name: 'n'.repeat(1025), value: null }] })],
          ['limit_exceeded', rec('a', null, '', { headers: Array(65).fill({ name: 'h', value: null }) })],
        ];
        for (const [code, record] of refused) {
          expect(codeOf(() => log.append({ records: [rec('a', null, 'fine'), record] }))).toBe(code);
        }
        const { records } = log.append({ records: [rec('a', null, 'kept')] });
        await settle();
        expect(records[0]).toMatchObject({ seq: 0, offset: 0 });
        expect(readAll(log).map(line)).toEqual(['0 a/0@0 null=kept']);
      });

      test('a record of exactly the largest size is kept', async () => {
        topic('a');
        const value = new Uint8Array(1 << 20).fill(7);
        log.append({ records: [{ topic: 'a', key: null, value }] });
        await settle();
        expect(log.record(0)?.value).toEqual(value);
      });

      test('bytes are taken at the call: changing them later changes nothing', async () => {
        topic('a', 1, true);
        const value = utf8('before');
        log.append({ records: [{ topic: 'a', key: utf8('k'), value }] });
        value.fill(0);
        expect(text(log.lastByKey('a', utf8('k'))?.value)).toBe('before');
        await settle();
        expect(text(log.record(0)?.value)).toBe('before');
      });

      test('keeps null and empty apart, in keys, values and headers', async () => {
        topic('a');
        const headers = [
          { name: 'none', value: null },
          { name: 'empty', value: new Uint8Array() },
          { name: 'none', value: utf8('again') },
        ];
        log.append({
          records: [
            rec('a', null, ''),
            rec('a', '', null),
            rec('a', 'k', 'v', { headers }),
            rec('a', null, null),
          ],
        });
        await settle();
        const records = readAll(log);
        expect(records.map(r => [text(r.key), text(r.value)])).toEqual([
          [null, ''],
          ['', null],
          ['k', 'v'],
          [null, null],
        ]);
        expect(records.map(r => r.headers.map(h => [h.name, text(h.value)]))).toEqual([
          [],
          [],
          [
            ['none', null],
            ['empty', ''],
            ['none', 'again'],
          ],
          [],
        ]);
        expect(log.record(2)).toEqual(records[2]);
      });
    });

    describe('time', () => {
      test('the append time is the clock and never goes backwards', () => {
        topic('a');
        const times = [2_000, 1_500, 2_500].map(now => {
          clock.set(now);
          return log.append({ records: [rec('a', null, '')] }).appendTime;
        });
        expect(times).toEqual([2_000, 2_000, 2_500]);
        expect(log.lastAppendTime()).toBe(2_500);
      });

      test('a simulated append time counts unless it would go backwards', () => {
        topic('a');
        const times = [100, 200, 150].map(
          appendTime => log.append({ records: [rec('a', null, '')], appendTime }).appendTime,
        );
        expect(times).toEqual([100, 200, 1_000]);
      });

      test('the event time is the given one, else the append time', async () => {
        topic('a');
        log.append({ records: [rec('a', null, '', { timestamp: -5 }), rec('a', null, '')] });
        await settle();
        expect(readAll(log).map(r => [r.timestamp, r.appendTime])).toEqual([
          [-5, 1_000],
          [1_000, 1_000],
        ]);
      });

      test('the first sequence at or after an append time', async () => {
        topic('a');
        for (const now of [1_000, 1_000, 2_000, 4_000]) {
          clock.set(now);
          log.append({ records: [rec('a', null, ''), rec('a', null, '')] });
        }
        await settle();
        const seqs = [0, 1_000, 1_001, 2_000, 3_000, 4_000, 4_001].map(ms => log.seqAtTime(ms));
        expect(seqs).toEqual([0, 0, 4, 4, 6, 6, 8]);
      });

      test('a tick moves the clock of the log, takes a sequence, and belongs to no topic of a user', async () => {
        topic('a');
        log.append({ records: [rec('a', null, 'x')] });
        const tick = log.tick(5_000);
        const late = log.tick(4_000);
        await settle();
        expect([tick.end, tick.appendTime, late.appendTime]).toEqual([2, 5_000, 5_000]);
        expect(log.lastAppendTime()).toBe(5_000);
        expect(readAll(log).map(r => [r.topic, r.key, r.value, r.appendTime])).toEqual([
          ['a', null, utf8('x'), 1_000],
          [TICK_TOPIC, null, null, 5_000],
          [TICK_TOPIC, null, null, 5_000],
        ]);
        expect(log.topics().map(t => t.name)).toEqual(['a']);
        expect(log.topic(TICK_TOPIC)).toBeNull();
      });
    });

    describe('scan', () => {
      async function fill(appends: number): Promise<string[]> {
        topic('a', 3);
        topic('b');
        const expected: string[] = [];
        for (let i = 0; i < appends; i++) {
          clock.advance(1);
          const { records } = log.append({
            records: [
              rec(
                'a',
                `k${i % 7}`,
                `value ${i}`,
                i % 5 === 0 ? { headers: [{ name: 'n', value: utf8(`${i}`) }] } : {},
              ),
              ...(i % 3 === 0 ? [rec('b', null, `b${i}`, { timestamp: i })] : []),
            ],
          });
          for (const r of records) {
            expected.push(
              r.topic === 'a'
                ? `${r.seq} a/${r.partition}@${r.offset} k${i % 7}=value ${i}`
                : `${r.seq} b/0@${r.offset} null=b${i}`,
            );
          }
          if (i % 13 === 0) await log.append({ records: [] }).durable;
        }
        await settle();
        return expected;
      }

      test('gives every record once, in order, in blocks without gaps', async () => {
        const expected = await fill(300);
        expect(readAll(log).map(line)).toEqual(expected);
        let next = 0;
        for (const block of log.read(0)) {
          expect(block.firstSeq).toBe(next);
          next += block.n;
        }
        expect(next).toBe(log.end());
      });

      test.each([
        [0, 1],
        [17, 100],
        [399, 1_000_000],
        [-5, 3],
        [50, 50],
        [60, 50],
      ])('from %d to %d gives exactly that part', async (from, to) => {
        const expected = await fill(300);
        expect(readAll(log, from, to).map(line)).toEqual(
          expected.slice(Math.max(0, from), Math.max(from, to)),
        );
      });

      test('cuts blocks at the wanted size', async () => {
        const expected = await fill(100);
        for (const block of log.read(0, undefined, 10)) expect(block.n).toBeLessThanOrEqual(10);
        expect(readAll(log, 3, 90, 10).map(line)).toEqual(expected.slice(3, 90));
      });

      test('a scan gives the same records, block after block, sealed or not', async () => {
        const expected = await fill(300);
        for (const sealed of [false, true]) {
          if (sealed) await log.seal();
          const seen: string[] = [];
          for (const block of log.scan(3, 290, 64)) {
            for (let i = 0; i < block.n; i++) seen.push(line(recordAt(block, i)));
          }
          expect(seen).toEqual(expected.slice(3, 290));
        }
      });

      test('headers, event and append times come with the records', async () => {
        await fill(30);
        const shown = readAll(log)
          .filter(r => r.topic === 'a')
          .map(r => [r.headers.map(h => `${h.name}=${text(h.value)}`).join(), r.timestamp, r.appendTime]);
        expect(shown).toEqual(
          Array.from({ length: 30 }, (_, i) => [i % 5 === 0 ? `n=${i}` : '', 1_001 + i, 1_001 + i]),
        );
      });

      test('a record by its sequence is the record of the scan', async () => {
        await fill(50);
        const records = readAll(log);
        expect(records.map(r => log.record(r.seq))).toEqual(records);
        expect(log.record(log.end())).toBeNull();
        expect(log.record(-1)).toBeNull();
      });
    });

    describe('index by key', () => {
      test('sees accepted appends, durable or not, of this key and topic only', async () => {
        topic('a', 2, true);
        topic('b', 1, true);
        log.append({
          records: [rec('a', 'x', '1'), rec('a', 'y', '2'), rec('b', 'x', '3'), rec('a', '', '4')],
        });
        await settle();
        log.append({ records: [rec('a', 'x', '5')] });
        log.append({ records: [rec('a', 'x', null), rec('a', 'xx', '6')] });
        const byX = () => log.byKey('a', utf8('x')).map(r => text(r.value));
        expect(byX()).toEqual(['1', '5', null]);
        expect(log.lastByKey('a', utf8('x'))).toMatchObject({ seq: 5, value: null });
        await settle();
        expect(byX()).toEqual(['1', '5', null]);
        expect(log.lastByKey('a', utf8('x'))).toMatchObject({ seq: 5, value: null });
        expect(text(log.lastByKey('a', utf8(''))?.value ?? null)).toBe('4');
        expect(log.lastByKey('a', utf8('z'))).toBeNull();
        expect(log.byKey('b', utf8('x')).map(line)).toEqual(['2 b/0@0 x=3']);
      });

      test('from a sequence, up to a limit, in order', async () => {
        topic('a', 1, true);
        for (let i = 0; i < 10; i++) {
          log.append({ records: [rec('a', 'k', `${i}`), rec('a', 'other', '')] });
          if (i === 6) await settle();
        }
        const values = (fromSeq?: number, limit?: number) =>
          log.byKey('a', utf8('k'), fromSeq, limit).map(r => text(r.value));
        expect(values(8)).toEqual(['4', '5', '6', '7', '8', '9']);
        expect(values(9, 3)).toEqual(['5', '6', '7']);
        expect(values(18)).toEqual(['9']);
        expect(values(19)).toEqual([]);
      });

      test('long keys are told apart', async () => {
        topic('a', 1, true);
        const long = 'k'.repeat(5_000);
        log.append({ records: [rec('a', `${long}1`, 'one'), rec('a', `${long}2`, 'two')] });
        await settle();
        expect(text(log.lastByKey('a', utf8(`${long}1`))?.value)).toBe('one');
        expect(text(log.lastByKey('a', utf8(`${long}2`))?.value)).toBe('two');
      });

      test('a topic without it refuses the question', () => {
        topic('a');
        expect(codeOf(() => log.lastByKey('a', utf8('k')))).toBe('invalid_argument');
        expect(codeOf(() => log.byKey('a', utf8('k')))).toBe('invalid_argument');
        expect(codeOf(() => log.byKey('nowhere', utf8('k')))).toBe('unknown_topic');
      });
    });

    describe('browsing', () => {
      beforeEach(async () => {
        topic('a', 2);
        topic('b');
        for (let i = 0; i < 20; i++) {
          log.append({
            records: [rec('a', null, `${i}`, { partition: i % 3 === 0 ? 1 : 0 }), rec('b', null, '')],
          });
          if (i % 6 === 0) await log.append({ records: [] }).durable;
        }
        await settle();
      });

      test('one partition by offset', () => {
        const records = log.readTopic('a', { partition: 1, fromOffset: 2, limit: 3 });
        expect(records.map(line)).toEqual(['12 a/1@2 null=6', '18 a/1@3 null=9', '24 a/1@4 null=12']);
        expect(log.readTopic('a', { partition: 1, fromOffset: 7, limit: 3 })).toEqual([]);
      });

      test('all partitions in order of sequence', () => {
        const values = (fromOffset: number, limit: number) =>
          log.readTopic('a', { fromOffset, limit }).map(r => text(r.value));
        expect(values(0, 5)).toEqual(['0', '1', '2', '3', '4']);
        expect(values(0, 100)).toHaveLength(20);
      });

      test('the last records over all partitions', () => {
        expect(log.lastRecords('a', 4).map(r => text(r.value))).toEqual(['16', '17', '18', '19']);
        expect(log.lastRecords('a', 100)).toHaveLength(20);
        expect(log.lastRecords('a', 0)).toEqual([]);
      });

      test('an unknown topic is an error', () => {
        expect(codeOf(() => log.readTopic('nowhere', { limit: 1 }))).toBe('unknown_topic');
        expect(codeOf(() => log.lastRecords('nowhere', 1))).toBe('unknown_topic');
      });
    });

    describe('handler positions', () => {
      test('are set with the append that carries them', async () => {
        topic('a');
        expect(log.position('mailer')).toBeNull();
        log.append({ records: [rec('a', null, '')], positions: [{ handler: 'mailer', seq: 7 }] });
        expect(log.position('mailer')).toBe(7);
        await log.append({ records: [], positions: [{ handler: 'mailer', seq: 8 }] }).durable;
        await settle();
        expect([log.position('mailer'), log.position('reporter'), log.end()]).toEqual([8, null, 1]);
      });
    });

    describe('listening', () => {
      test('the end reported after a group commit covers it and can be read', async () => {
        topic('a');
        const ends: number[] = [];
        const stop = log.onFlushed(end => {
          expect(readAll(log)).toHaveLength(end);
          ends.push(end);
        });
        await log.append({ records: [rec('a', null, '1'), rec('a', null, '2')] }).durable;
        expect(ends.at(-1)).toBe(2);
        stop();
        await log.append({ records: [rec('a', null, '3')] }).durable;
        expect(ends.at(-1)).toBe(2);
      });
    });
  });
}
