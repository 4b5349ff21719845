import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** One measured number. With a floor or a ceiling it is a promise: the run fails when it is broken. */
export interface Figure {
  /** names the figure within its bench, for programs: `engine-by-parse` */
  readonly name: string;
  /** for people, in the table of docs/performance.md */
  readonly what: string;
  /** Figures of one thing among many make one row of a second table, whose columns are their `what`s. */
  readonly of?: string | undefined;
  readonly value: number;
  readonly unit: string;
  readonly floor?: number | undefined;
  readonly ceiling?: number | undefined;
}

export interface BenchOptions {
  /** small counts and one round: does it run at all? Floors and ceilings are not held then. */
  readonly quick: boolean;
}

export interface Bench {
  /** the file in this folder, and the name in `npm run bench -- <name>` */
  readonly name: string;
  /** one sentence: what is done, to what */
  readonly title: string;
  /** when it is not `npm run bench -- <name>` */
  readonly command?: string | undefined;
  run(options: BenchOptions): Promise<readonly Figure[]>;
}

/** What `bench/results/<name>.json` holds. */
export interface BenchResult {
  readonly name: string;
  readonly title: string;
  readonly command: string;
  readonly measured: string;
  readonly seconds: number;
  /** programs that ran or waited for a core in the minute before it began: beside nothing it is below one */
  readonly load: number;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

export interface Machine {
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
}

export const resultsDir = join(import.meta.dirname, 'results');

export function thisMachine(): Machine {
  return {
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}

/** Whether a figure keeps what is promised for it. */
export function holds({ value, floor, ceiling }: Figure): boolean {
  return (floor === undefined || value >= floor) && (ceiling === undefined || value <= ceiling);
}

/** The main program of every bench file: measures, prints, writes the result file, fails below a floor. */
export async function runBench(bench: Bench): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
  const begun = performance.now();
  const measured = new Date().toISOString();
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
  const figures = await bench.run({ quick: values.quick });
  const result: BenchResult = {
    name: bench.name,
    title: bench.title,
    command: bench.command ?? `npm run bench -- ${bench.name}`,
    measured,
    seconds: Math.round((performance.now() - begun) / 1000),
    load,
    machine: thisMachine(),
    figures: figures.map(({ floor, ceiling, ...figure }) => ({
      ...figure,
      value: rounded(figure.value),
      // small counts measure the start of the process: nothing is promised of them
      ...(values.quick ? {} : { floor, ceiling }),
    })),
  };
  process.stdout.write(`${resultText(result)}\n`);
  if (values.quick) return;
  mkdirSync(resultsDir, { recursive: true });
  writeFileSync(join(resultsDir, `${bench.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  if (!result.figures.every(holds)) process.exitCode = 1;
}

export function resultText({ name, title, seconds, figures }: BenchResult): string {
  const lines = figures.map(f => {
    const broken = holds(f) ? '' : '  <-- BROKEN';
    const of = f.of === undefined ? '' : `${f.of}: `;
    return `  ${shown(f).padStart(16)}  ${of}${f.what}${promiseText(f)}${broken}`;
  });
  return [`${name} (${seconds} s): ${title}`, ...lines].join('\n');
}

/** A number with its unit, as people read it. */
export function shown({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 2;
  const number = value.toLocaleString('en', { maximumFractionDigits: digits });
  return unit === '' ? number : `${number} ${unit}`;
}

export function promiseText({ floor, ceiling }: Figure): string {
  const parts = [
    ...(floor === undefined ? [] : [`at least ${floor}`]),
    ...(ceiling === undefined ? [] : [`at most ${ceiling}`]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

// ---------------------------------------------------------------- measuring

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest value that at least this share (0..1) of all is not above. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/**
 * Runs contenders in turn, round by round (A B C, A B C, ...), so that a slow minute of the machine is everybody's.
 * Give the median of each, and compare by {@link ratio}: within a round.
 */
export async function interleaved<N extends string, T>(
  contenders: Readonly<Record<N, () => T | Promise<T>>>,
  rounds: number,
): Promise<Record<N, T[]>> {
  const names = Object.keys(contenders) as N[];
  const results = Object.fromEntries(names.map(name => [name, [] as T[]])) as Record<N, T[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results[name].push(await contenders[name]());
  }
  return results;
}

/** The median over the rounds of how many times faster `a` was than `b` in the same round; times, any unit. */
export function ratio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((time, round) => (b[round] ?? Number.NaN) / time));
}

/** Runs another program of this folder on the same Node, alone in its process; it prints one JSON line last. */
export function inOwnProcess<T>(
  file: string,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): T {
  const child = spawnSync(process.execPath, [...nodeOptions, join(import.meta.dirname, file), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (child.status !== 0) throw new Error(`${file} ${args.join(' ')} failed:\n${child.stdout}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '') as T;
}
