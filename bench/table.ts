import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchResult, type Figure, holds, promiseText, resultsDir, shown } from './bench.ts';
import { BENCHES } from './run.ts';

/**
 * `node bench/table.ts`: takes the last results of every bench up into `measured.json`, which is committed, and makes
 * the tables of docs/performance.md from it. A bench that has no new result keeps the one before.
 */

const BEGIN = '<!-- made by node bench/table.ts: begin -->';
const END = '<!-- made by node bench/table.ts: end -->';

export const measuredFile = join(import.meta.dirname, 'measured.json');
export const performancePage = join(import.meta.dirname, '..', 'docs', 'performance.md');

/** load from which a run was not alone: a bench before it leaves about two */
const BUSY = 4;

const ORDER = [...BENCHES, 'peers'];

function readMeasured(): readonly BenchResult[] {
  if (!existsSync(measuredFile)) return [];
  return JSON.parse(readFileSync(measuredFile, 'utf8')) as readonly BenchResult[];
}

function readResults(): readonly BenchResult[] {
  if (!existsSync(resultsDir)) return [];
  return readdirSync(resultsDir)
    .filter(file => file.endsWith('.json'))
    .map(file => JSON.parse(readFileSync(join(resultsDir, file), 'utf8')) as BenchResult);
}

function sections(results: readonly BenchResult[]): string {
  const known = ORDER.flatMap(name => results.find(r => r.name === name) ?? []);
  const missing = ORDER.filter(name => !known.some(r => r.name === name));
  const note =
    missing.length === 0 ? [] : [`Not measured yet: ${missing.map(n => `\`${n}\``).join(', ')}.\n`];
  return [...known.map(section), ...note].join('\n');
}

function section({ name, title, command, measured, seconds, load, machine, figures }: BenchResult): string {
  const { cores, memoryGiB, platform, node } = machine;
  const beside = load < BUSY ? '' : `; **other programs took the cores (load ${load})**`;
  return [
    `### ${name}`,
    '',
    `${title[0]?.toUpperCase()}${title.slice(1)}. \`${command}\`, ${seconds} s on ${measured.slice(0, 10)}: ${cores} cores, ${memoryGiB} GiB, ${platform}, Node ${node}${beside}.`,
    '',
    ...singleFigures(figures.filter(f => f.of === undefined)),
    ...figuresOfMany(figures.filter(f => f.of !== undefined)),
  ].join('\n');
}

function singleFigures(figures: readonly Figure[]): readonly string[] {
  return figures.length === 0 ? [] : ['| | figure | promised |', '|---|--:|---|', ...figures.map(row), ''];
}

/** A row for each thing, a column for each figure of it. */
function figuresOfMany(figures: readonly Figure[]): readonly string[] {
  if (figures.length === 0) return [];
  const columns = [...new Set(figures.map(f => f.what))];
  const things = Map.groupBy(figures, f => f.of ?? '');
  const cells = (all: readonly Figure[]) =>
    columns.map(what => all.filter(f => f.what === what).map(shown)[0] ?? '');
  return [
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '--:|').join('')}`,
    ...[...things].map(([of, all]) => `| ${[of, ...cells(all)].join(' | ')} |`),
    '',
  ];
}

function row(figure: Figure): string {
  const promise = promiseText(figure).replace(/^ \(|\)$/g, '');
  const kept = promise === '' ? '' : holds(figure) ? promise : `**missed**: ${promise}`;
  return `| ${figure.what.replaceAll('|', '\\|')} | ${shown(figure)} | ${kept} |`;
}

/** The page with its tables made anew. */
export function withTables(page: string, results: readonly BenchResult[]): string {
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error('docs/performance.md has no place for the tables');
  return `${page.slice(0, before + BEGIN.length)}\n\n${sections(results)}\n${page.slice(after)}`;
}

if (import.meta.main) {
  const results = new Map([...readMeasured(), ...readResults()].map(r => [r.name, r]));
  const measured = ORDER.flatMap(name => results.get(name) ?? []);
  writeFileSync(measuredFile, `${JSON.stringify(measured, null, 2)}\n`);
  writeFileSync(performancePage, withTables(readFileSync(performancePage, 'utf8'), measured));
  for (const { name, figures } of measured) {
    for (const figure of figures.filter(f => !holds(f))) {
      process.stdout.write(`${name}: ${figure.what}: ${shown(figure)}${promiseText(figure)} is missed\n`);
    }
  }
}
