import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { systemClock } from '../../src/core/clock.ts';
import { MillraceError } from '../../src/core/errors.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { bytes, counter, request, text } from './counter.ts';

/** `before`: nothing of a commit is written; `after`: it is written, and yet reported as failed. */
type Fault = 'none' | 'before' | 'after';
const disk = vi.hoisted(() => ({ faults: [] as string[] }));

vi.mock('lmdb', async importOriginal => {
  const lmdb = await importOriginal<typeof import('lmdb')>();
  return {
    ...lmdb,
    open(options: Parameters<typeof lmdb.open>[0]) {
      const db = lmdb.open(options);
      const batch = db.batch.bind(db);
      db.batch = async action => {
        const fault = disk.faults.shift();
        if (fault === 'before') throw new Error('no space left');
        const done = await batch(action);
        if (fault === 'after') throw new Error('the disk does not answer');
        return done;
      };
      return db;
    },
  };
});

const seed = Number(process.env.MILLRACE_SEED ?? 20_261_124);
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-flaky-'));
});

afterEach(() => {
  disk.faults = [];
  rmSync(dir, { recursive: true, force: true });
});

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Fault>('none') },
  { weight: 1, arbitrary: fc.constant<Fault>('before') },
  { weight: 1, arbitrary: fc.constant<Fault>('after') },
);
/** senders work side by side, each sends its commands one after the other: an entity, and whether it sends it twice */
const senders = fc.array(
  fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { minLength: 1, maxLength: 6 }),
  { minLength: 1, maxLength: 5 },
);

test(`law 4, a command counts once: on a disk that fails now and then, senders that send again until they hear, seed ${seed}`, async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(senders, fc.array(fault, { maxLength: 40 }), async (work, faults) => {
      const path = join(dir, String(run++));
      const log = await openEmbeddedLog({ dir: path, clock: systemClock });
      const errors: unknown[] = [];
      const runtime = new CommandRuntime({ log, entity: counter, onError: e => errors.push(e) });
      await log.append({ records: [] }).durable;
      disk.faults = [...faults];
      const told = new Map<string, number | null>();
      const sendUntilHeard = async (entity: string, commandId: string): Promise<void> => {
        for (;;) {
          try {
            const { version } = await runtime.submit(request(entity, { by: 1 }, { commandId }));
            expect(told.get(commandId) ?? version, `the result of ${commandId}`).toBe(version);
            told.set(commandId, version);
            return;
          } catch (error) {
            if (!(error instanceof MillraceError) || error.code !== 'log_write_failed') throw error;
          }
        }
      };
      await Promise.all(
        work.map(async (commands, sender) => {
          for (const [i, [entity, twice]] of commands.entries()) {
            const id = `${sender}-${i}`;
            const first = sendUntilHeard(entity, id);
            if (twice) await Promise.all([first, sendUntilHeard(entity, id)]);
            else await first;
            await log.seal().catch(() => {}); // fails with the disk; the records are then still in the tail
          }
        }),
      );
      const sent = new Map<string, number>();
      for (const [entity] of work.flat()) sent.set(entity, (sent.get(entity) ?? 0) + 1);
      const check = (events: (entity: string) => number[]) => {
        for (const [entity, n] of sent) {
          expect(events(entity), `versions of ${entity}`).toEqual(Array.from({ length: n }, (_, i) => i + 1));
        }
      };
      const versions = (from: typeof log) => (entity: string) =>
        from.byKey('counter-events', bytes(entity)).map(r => JSON.parse(text(r.value)).version as number);
      check(versions(log));
      expect(errors).toEqual([]);
      disk.faults = [];
      runtime.close();
      await log.close();

      const reopened = await openEmbeddedLog({ dir: path, clock: systemClock });
      const next = new CommandRuntime({ log: reopened, entity: counter, onError: e => errors.push(e) });
      check(versions(reopened));
      for (const [id, version] of told) expect(next.result(id)).toMatchObject({ version });
      next.close();
      await reopened.close();
    }),
    { seed, numRuns: Number(process.env.MILLRACE_RUNS ?? 60) },
  );
}, 120_000);
