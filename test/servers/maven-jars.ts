import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Fetches the jars that a `pom.xml` names into a folder, once, with whatever repositories Maven is set up for. A download
 * that was cut short never looks complete.
 */
export function fetchJars(pom: string, folder: string): void {
  const done = join(folder, '.complete');
  if (existsSync(done)) return;
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.unfinished-`);
  try {
    runProgram('mvn', [
      '-q',
      '-B',
      '-Dstyle.color=never',
      '-f',
      pom,
      'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${unfinished}`,
    ]);
    writeFileSync(join(unfinished, '.complete'), '');
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

export function runProgram(program: string, args: readonly string[]): void {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined)
    throw new Error(`${program} cannot be run (a JDK and Maven are needed): ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}
