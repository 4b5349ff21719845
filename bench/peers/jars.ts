import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the jars lie: ignored by git, fetched once. */
const jars = join(import.meta.dirname, '.jars');

export type Peer = 'broker' | 'kafka-streams' | 'flink';

/** The class path of a peer: its jars by Maven, as its `pom.xml` says, and its own classes. */
export function classPath(peer: Peer): string {
  return [classesOf(peer), join(jarsOf(peer), '*')].join(delimiter);
}

/** Fetches the jars of a peer by `mvn`, with whatever repositories it is set up for, and compiles its programs. */
export function prepare(peer: Peer, sources: readonly string[]): void {
  const done = join(jarsOf(peer), '.complete');
  if (!existsSync(done)) {
    const unfinished = `${jarsOf(peer)}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    run('mvn', [
      '-q',
      '-B',
      '-Dstyle.color=never',
      '-f',
      join(import.meta.dirname, peer, 'pom.xml'),
      'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${unfinished}`,
    ]);
    writeFileSync(join(unfinished, '.complete'), '');
    rmSync(jarsOf(peer), { recursive: true, force: true });
    renameSync(unfinished, jarsOf(peer));
  }
  if (sources.length === 0) return;
  mkdirSync(classesOf(peer), { recursive: true });
  const files = sources.map(s => join(import.meta.dirname, peer, s));
  run('javac', ['-proc:none', '-nowarn', '-d', classesOf(peer), '-cp', join(jarsOf(peer), '*'), ...files]);
}

const jarsOf = (peer: Peer): string => join(jars, peer);
const classesOf = (peer: Peer): string => join(jars, `${peer}-classes`);

function run(program: string, args: readonly string[]): void {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined)
    throw new Error(`${program} cannot be run (a JDK and Maven are needed): ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}
