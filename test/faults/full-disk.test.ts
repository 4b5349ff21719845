import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { armFaultPoints } from '../../src/core/fault-points.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { until } from '../until.ts';
import { expectWhole } from './lean-check.ts';
import { type LeanServer, startLean, writeViews } from './lean-server.ts';
import { Trace } from './lean-trace.ts';

const LONG = process.env.MILLRACE_LONG === '1';
const VARIABLES = { live: 'MILLRACE_FAULTS_LIVE', build: 'MILLRACE_FAULTS_BUILD' } as const;

function arm(plan: string): void {
  armFaultPoints(plan, () => expect.fail('nothing is killed here'));
}

afterEach(() => {
  arm('');
  for (const name of Object.values(VARIABLES)) delete process.env[name];
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-full-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const text = (bytes: Uint8Array | null): string => new TextDecoder().decode(bytes ?? new Uint8Array(0));
const values = (log: EventLog): string[] =>
  log.readTopic('a', { limit: 1_000_000 }).map(r => text(r.value).trimEnd());

describe('a log whose disk is full', () => {
  const append = (log: EventLog, value: string): Promise<void> =>
    log.append({ records: [{ topic: 'a', key: null, value: Buffer.from(value.padEnd(2_000)) }] }).durable;

  async function open(dir: string): Promise<EventLog> {
    const log = await openEmbeddedLog({ dir, clock: systemClock });
    onTestFinished(() => log.close());
    log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
    return log;
  }

  it.each(['log.commit@1+2', 'log.committed@1'])(
    'refuses what it cannot hold and goes on (%s)',
    async fault => {
      const dir = folder();
      const log = await open(dir);
      const kept: string[] = [];
      for (let i = 0; i < 10; i++) {
        if (i === 4) arm(`${fault}=ENOSPC`);
        try {
          await append(log, `record ${i}`);
          kept.push(`record ${i}`);
        } catch (error) {
          expect(error).toMatchObject({ code: 'disk_full' });
        }
        expect(values(log)).toEqual(expect.arrayContaining(kept));
      }
      expect(kept.length).toBeLessThan(10);
      expect(kept).toContain('record 9');
      arm('');
      const found = values(log);
      // what was refused after its commit may be there all the same; then it is there once
      expect(new Set(found).size).toBe(found.length);
      await log.close();
      expect(values(await open(dir))).toEqual(found);
    },
  );

  it.each([
    'log.segment.create',
    'log.segment.folder',
    'log.segment.write',
    'log.segment.sync',
    'log.segment.register',
  ])('keeps in the tail what it cannot seal, and seals it later (%s)', async point => {
    const dir = folder();
    const log = await open(dir);
    const written = Array.from({ length: 100 }, (_, i) => `record ${i}`);
    await Promise.all(written.map(value => append(log, value)));
    arm(`${point}@1=ENOSPC`);
    await expect(log.seal()).rejects.toMatchObject({ code: 'disk_full' });
    expect(values(log)).toEqual(written);
    await append(log, 'one more');
    await log.seal();
    expect(values(log)).toEqual([...written, 'one more']);
    await log.close();
    expect(values(await open(dir))).toEqual([...written, 'one more']);
  });
});

describe('views whose disk is full', () => {
  async function attempts(server: LeanServer, trace: Trace, from: number, n: number): Promise<void> {
    for (let i = from; i < from + n; i++) {
      const card = `card${i % 5}`;
      const id = `attempts-${i}`;
      trace.said(`p attempts ${id}`);
      const record = {
        topic: 'attempts',
        key: Buffer.from(card),
        value: Buffer.from(JSON.stringify({ card, amount: '1.25' })),
        timestamp: 1_700_000_000_000 + i * 100,
        headers: [{ name: 'id', value: Buffer.from(id) }],
      };
      await server.log.append({ records: [record] }).durable;
      trace.said(`q attempts ${id}`);
    }
  }

  async function start(dir: string, trace: Trace): Promise<LeanServer> {
    const server = await startLean({
      dir,
      clock: systemClock,
      reacts: seq => trace.said(`r ${seq}`),
    });
    let stopped = false;
    onTestFinished(async () => {
      if (!stopped) await server.stop();
    });
    return {
      ...server,
      stop: async () => {
        stopped = true;
        await server.stop();
      },
    };
  }

  it.each(
    LONG
      ? ['journal.commit@1+1', 'store.write@2+3', 'view.fold@2+2', 'journal.folded@1']
      : ['store.write@2+3', 'journal.folded@1'],
  )('go on in memory and are saved when there is room (%s)', async fault => {
    const dir = folder();
    const trace = new Trace(dir);
    writeViews(dir, 1);
    process.env[VARIABLES.live] = `${fault}=ENOSPC`;
    const server = await start(dir, trace);
    await attempts(server, trace, 0, 50);
    await server.views.settled();
    let next = 50;
    await until('the disk was full', async () => {
      await attempts(server, trace, next++, 1);
      return server.reports.some(r => r.includes('the disk is full'));
    });
    await attempts(server, trace, next, 50);
    await expectWhole(server, dir, trace);
    await until('there is room', () => server.reports.some(r => r.includes('there is room')));
    await server.stop();
    delete process.env[VARIABLES.live];
    await expectWhole(await start(dir, trace), dir, trace);
  });

  it.each(['store.write@1+1', 'view.fold@3+1', 'build.finish@1'])(
    'are built when there is room (%s)',
    async fault => {
      const dir = folder();
      const trace = new Trace(dir);
      writeViews(dir, 1);
      process.env[VARIABLES.build] = `${fault}=ENOSPC`;
      const server = await start(dir, trace);
      await attempts(server, trace, 0, 50);
      await server.views.settled();
      await expectWhole(server, dir, trace);
      if (fault !== 'build.finish@1') {
        expect(server.reports.join('\n')).toMatch(/the build of .* waits, the disk is full/);
      }
    },
  );
});
