import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { sharedBroker } from '../servers/shared-broker.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

const long = process.env.MILLRACE_LONG === '1';
const KILLS = long ? 50 : 6;
const RECORDS = long ? 3_000_000 : 400_000;
const PARTITIONS = 8;
const seed = Number(process.env.MILLRACE_SEED ?? 1);

/** Records [0, to) of the log as one hash. */
function hashOf(log: EventLog, to: number): string {
  const hash = createHash('sha256');
  for (const block of log.read(0, to)) {
    for (let i = 0; i < block.n; i++) {
      const name = block.topics[block.topic[i]!];
      hash.update(
        `${name}/${block.partition[i]}@${block.offset[i]} ${block.timestamp[i]} ${block.appendTime[i]} `,
      );
      if (block.valueStart[i]! >= 0)
        hash.update(block.bytes.subarray(block.valueStart[i]!, block.valueEnd[i]!));
    }
  }
  return hash.digest('hex');
}

it(`a replicator that is killed ${KILLS} times while it catches up loses, doubles and reorders nothing (seed ${seed})`, async () => {
  const topics = new Topics((await sharedBroker()).address);
  const topic = await topics.create('killed', PARTITIONS);
  for (let at = 0; at < RECORDS; at += 50_000) {
    await topics.produce(
      topic,
      Array.from({ length: 50_000 }, (_, i) => ({
        partition: (at + i) % PARTITIONS,
        value: `${at + i}`.padEnd(40, '.'),
        timestamp: `${1_700_000_000_000 + at + i}`,
      })),
    );
  }
  const dir = mkdtempSync(join(tmpdir(), 'millrace-killed-'));
  let random = seed;
  const next = (): number => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
    return random / 0x7fffffff;
  };
  try {
    let unfinished = 0;
    let end = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, 'replicator-child.ts'), dir, topics.settings.brokers[0]!, topic],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let flushed = 0;
      // anywhere in the next part: what is flushed together is told together, so this is where it is at least
      const until = end + next() * (RECORDS / KILLS);
      await new Promise<void>(resolve => {
        child.stdout.on('data', chunk => {
          flushed = Number(String(chunk).trim().split('\n').at(-1));
          if (flushed >= Math.min(until, RECORDS)) resolve();
        });
      });
      await new Promise(resolve => setTimeout(resolve, next() * 8));
      const ended = new Promise(resolve => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      const log = await openEmbeddedLog({ dir, clock: systemClock });
      expect(log.end()).toBeGreaterThanOrEqual(flushed);
      const finished = log.end() >= RECORDS;
      if (!finished) unfinished++;
      const before = hashOf(log, log.end());
      end = log.end();
      await log.close();
      const again = await openEmbeddedLog({ dir, clock: systemClock });
      expect(hashOf(again, end)).toBe(before);
      await again.close();
      if (finished) break; // a node that has everything flushes nothing
    }
    expect(unfinished).toBeGreaterThanOrEqual(KILLS / 2);

    const log = await openEmbeddedLog({ dir, clock: systemClock });
    const replica = new Replica(topics.settings, [topic], log);
    await replica.has(topic, RECORDS, 60_000);
    await replica.stop();
    const ends = log.topic(topic)?.ends;
    expect(ends).toEqual(new Array(PARTITIONS).fill(RECORDS / PARTITIONS));
    // in one order of event time: value i at place i
    let wrong = 0;
    let at = 0;
    for (const r of recordsOf(log, topic)) {
      if (Number.parseInt(textOf(r.value) ?? '', 10) !== at || r.offset !== Math.floor(at / PARTITIONS))
        wrong++;
      at++;
    }
    expect([at, wrong]).toEqual([RECORDS, 0]);
    await log.close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
