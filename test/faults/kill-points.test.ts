import { expect, onTestFailed, test } from 'vitest';
import { FAULT_POINTS } from '../../src/core/fault-points.ts';
import { DyingFolder, type Target } from './lean-kills.ts';
import { numbers } from './lean-load.ts';

const LONG = process.env.MILLRACE_LONG === '1';
const KILLS = Number(process.env.MILLRACE_KILLS ?? (LONG ? 1_000 : 15));
/** ms that a process may take to reach a point, start and all, before it is killed where it is */
const PATIENCE = LONG ? 10_000 : 4_000;
/** folders at a time */
const LANES = LONG ? 2 : 1;
const seed = Number(process.env.MILLRACE_SEED ?? 20_261_124);

const main = (point: Target['point'], within: number): Target => ({ point, thread: 'MAIN', within });
const live = (point: Target['point'], within: number): Target => ({ point, thread: 'LIVE', within });
const build = (point: Target['point'], within: number): Target => ({ point, thread: 'BUILD', within });

/**
 * What happens to one folder after the other: kills in this order, a kill at a random time at the end of each line, then
 * all is checked. Some points are met only behind the kill before them.
 */
const FOLDERS: readonly (readonly (readonly Target[])[])[] = [
  [
    [
      main('log.create', 1),
      main('log.segment.create', 1),
      main('log.segment.write', 1),
      main('log.segment.remove', 1),
      main('log.segment.folder', 1),
    ],
    [
      main('log.segment.sync', 2),
      main('log.segment.register', 2),
      main('log.segment.cut', 1),
      main('log.segment.registered', 2),
      main('log.lock.set-aside', 1),
    ],
  ],
  [
    [
      live('journal.commit', 3),
      main('log.commit', 60),
      live('live.adopted', 2),
      main('deploy.served', 3),
      build('build.finished', 3),
    ],
    [
      live('journal.committed', 3),
      main('sink.append', 40),
      live('journal.folded', 3),
      main('log.committed', 60),
      live('*', 60),
    ],
  ],
  [
    [
      main('log.topic', 8),
      main('command.decide', 80),
      main('deploy.remove', 3),
      live('store.write', 12),
      build('store.written', 6),
    ],
    [
      main('deploy.replays.write', 2),
      main('sink.complete', 4),
      build('view.fold', 6),
      main('reaction.position', 10),
      live('view.fold', 12),
      main('*', 400),
    ],
  ],
  [
    [
      main('log.lock.link', 1),
      main('command.accept', 80),
      live('live.adopt', 3),
      build('build.finish', 3),
      live('store.written', 12),
    ],
    [
      main('deploy.replays.rename', 2),
      main('log.lock.take', 1),
      build('store.write', 6),
      { ...main('log.clock', 1), idle: true },
      { ...main('log.lock.release', 1), stops: true },
      build('*', 20),
    ],
  ],
];

/** The short form has no time for all: one line per folder, beginning elsewhere with each seed. */
const PARTS = LONG ? FOLDERS : FOLDERS.flat().map(line => [line]);

/** points that this load does not pass, each with the test that does */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.keys(FAULT_POINTS)
      .filter(point => /^(upkeep|backup|restore)\./.test(point))
      .map(point => [point, 'trimming, compaction and backup: test/log/upkeep-kill.test.ts']),
  ),
  ...Object.fromEntries(
    Object.keys(FAULT_POINTS)
      .filter(point => point.startsWith('sink.file.'))
      .map(point => [point, 'views kept in files: test/sinks/file-target.test.ts']),
  ),
  'kafka.copy': 'a replicator that is killed: test/kafka/killed-replicator.servers.ts',
  'build.fold': 'a build of more rows than one fold takes: interrupted-build.test.ts',
  'build.fold-beside': 'a long build: long-build.test.ts',
  'build.read-ahead': 'a long build: long-build.test.ts',
  'journal.drop': 'a damaged journal: damage.test.ts',
  'journal.clear': 'a journal of another format: damage.test.ts',
  'topic.produce': 'records over HTTP: kill.test.ts',
  'command.pass': 'a handler that sleeps through 65,536 records: command-runtime.test.ts',
};

test('every fault point is met by a kill, here or elsewhere', () => {
  const met = [...FOLDERS.flat(2).map(t => t.point), ...Object.keys(ELSEWHERE)].filter(p => p !== '*');
  expect([...new Set(met)].sort()).toEqual(Object.keys(FAULT_POINTS).sort());
});

test(
  `${KILLS} x kill -9 at write points and at random times: nothing lost, doubled or different (seed ${seed})`,
  async () => {
    const random = numbers(seed);
    const hits = new Set<string>();
    const sum = { kills: 0, atPoints: 0, checks: 0, commands: 0, records: 0, builds: 0 };
    let folders = 0;
    const lane = async (): Promise<void> => {
      while (sum.kills < KILLS) {
        const number = folders++;
        const folder = new DyingFolder(seed + number);
        onTestFailed(() =>
          console.log(`seed ${seed}, folder ${number}, after ${sum.kills} kills: ${folder.dir}`),
        );
        for (const line of PARTS[(seed + number) % PARTS.length] ?? []) {
          for (const target of [...line, null]) {
            if (sum.kills >= KILLS) break;
            sum.kills++;
            const hit = await folder.killed(target, target === null ? 300 + random() * 1_500 : PATIENCE);
            if (!hit || target === null) continue;
            sum.atPoints++;
            hits.add(`${target.thread} ${target.point}`);
          }
          await folder.check();
          sum.checks++;
        }
        sum.commands += folder.trace.commands.size;
        for (const sent of folder.trace.records.values()) sum.records += sent.size;
        sum.builds += folder.trace.builds;
        folder.remove();
        if (LONG) console.log(`${new Date().toISOString()} ${JSON.stringify(sum)}`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    console.log(JSON.stringify(sum));
    const missed = FOLDERS.flat(2)
      .map(t => `${t.thread} ${t.point}`)
      .filter(name => !hits.has(name));
    if (KILLS >= 200) expect(missed, 'points that were never reached').toEqual([]);
  },
  30_000 + KILLS * 8_000,
);
