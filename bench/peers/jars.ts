import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fetchJars, runProgram } from '../../test/servers/maven-jars.ts';

/** Where the jars lie: ignored by git, fetched once. */
const jars = join(import.meta.dirname, '.jars');

export type Peer = 'kafka-streams' | 'flink';

/** The class path of a peer: its jars by Maven, as its `pom.xml` says, and its own classes. */
export function classPath(peer: Peer): string {
  return [classesOf(peer), join(jarsOf(peer), '*')].join(delimiter);
}

/** Fetches the jars of a peer and compiles its programs. */
export function prepare(peer: Peer, sources: readonly string[]): void {
  fetchJars(join(import.meta.dirname, peer, 'pom.xml'), jarsOf(peer));
  if (sources.length === 0) return;
  mkdirSync(classesOf(peer), { recursive: true });
  const files = sources.map(s => join(import.meta.dirname, peer, s));
  runProgram('javac', [
    '-proc:none',
    '-nowarn',
    '-d',
    classesOf(peer),
    '-cp',
    join(jarsOf(peer), '*'),
    ...files,
  ]);
}

const jarsOf = (peer: Peer): string => join(jars, peer);
const classesOf = (peer: Peer): string => join(jars, `${peer}-classes`);
