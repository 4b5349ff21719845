import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, Option } from 'commander';
import { defaultViews, loadConfig, projectRoot } from '../../config.ts';
import { MillraceError } from '../../core/errors.ts';
import type { SourceText } from '../../core/span.ts';
import { createEngine } from '../../dataflow/engine/engine.ts';
import { loadExtensions } from '../../dataflow/extension.ts';
import { readViewFiles } from '../../deploy/discovery.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import { terminal } from '../context.ts';
import { type Exit, folder } from '../options.ts';
import { type CaseEngine, columnsEngine, foldEngine } from './case-engine.ts';
import { type CaseResult, runKsqldbCases } from './ksqldb-runner.ts';
import { resultLine, totalsLine, totalsOf } from './report.ts';
import { testPrelude } from './sql-test-prelude.ts';
import { runSqlTests } from './sql-test-runner.ts';

interface TestOptions {
  readonly format: 'sql' | 'ksqldb';
  readonly engine: 'columns' | 'fold';
  readonly views?: string;
  readonly pipelines?: string;
  readonly extension?: readonly string[];
  readonly json?: boolean | undefined;
}

const engines: Readonly<Record<TestOptions['engine'], CaseEngine>> = {
  columns: columnsEngine(createEngine),
  fold: foldEngine,
};

/** The functions of ksqlDB's test jar, which its cases call; part of a checkout, not of an installation. */
const KSQLDB_TEST_FUNCTIONS = join(projectRoot, 'test', 'conformance', 'test-functions.ts');

/** `millrace test [FILE...]`: view tests in SQL, or ksqlDB's cases, offline. Exit code 1 unless all pass. */
export function testCommand(exit: Exit): Command {
  return new Command('test')
    .description('runs view tests (*.test.sql), or cases of ksqlDB, without a server')
    .argument('[files...]', 'test files; default: every *.test.sql in the views folder')
    .addOption(new Option('--format <format>', 'of the files').choices(['sql', 'ksqldb']).default('sql'))
    .addOption(
      new Option('--engine <engine>', 'what runs the plans').choices(['columns', 'fold']).default('columns'),
    )
    .option('--views <dir>', 'views that SQL tests stand on', folder)
    .option('--pipelines <dir>', 'folder of the YAML files and handlers', folder)
    .option('--extension <file...>', 'modules that add functions')
    .option('--json', 'one JSON line per case, the totals last')
    .action(async (files: string[], options: TestOptions) => {
      exit(await runTests(files, options));
    });
}

async function runTests(files: readonly string[], options: TestOptions): Promise<number> {
  const json = options.json === true;
  const results: CaseResult[] = [];
  const cases =
    options.format === 'ksqldb' ? await ksqldbResults(files, options) : await sqlResults(files, options);
  for (const result of cases) {
    results.push(result);
    terminal.line(resultLine(result, json));
  }
  const totals = totalsOf(results);
  terminal.line(totalsLine(totals, json));
  return totals.pass === totals.total ? 0 : 1;
}

async function ksqldbResults(files: readonly string[], options: TestOptions): Promise<Iterable<CaseResult>> {
  if (files.length === 0) throw new MillraceError('request_invalid', 'name the files of cases to run');
  const own = existsSync(KSQLDB_TEST_FUNCTIONS) ? [KSQLDB_TEST_FUNCTIONS] : [];
  const { functions } = await loadExtensions([...own, ...(options.extension ?? [])].map(urlOf));
  return runKsqldbCases(files.map(existing), { engine: engines[options.engine], functions });
}

async function sqlResults(files: readonly string[], options: TestOptions): Promise<Iterable<CaseResult>> {
  const config = loadConfig(resolve(options.pipelines ?? join(projectRoot, 'pipelines')), process.cwd());
  const { functions } = await loadExtensions([...config.extensions, ...(options.extension ?? []).map(urlOf)]);
  const { zone } = config.views;
  const views = options.views ?? defaultViews(config);
  const paths = files.length > 0 ? files.map(existing) : testFilesIn(views);
  if (paths.length === 0) throw new MillraceError('request_invalid', `no *.test.sql in ${views}`);
  return runSqlTests(paths.map(readText), {
    engine: engines[options.engine],
    functions,
    zone,
    prelude: projectPrelude(views, functions, zone),
  });
}

function projectPrelude(viewsDir: string, functions: FunctionRegistry, zone: string): string {
  const files = readViewFiles(resolve(viewsDir), process.cwd());
  return testPrelude({
    views: files.flatMap(({ name, file, text }) => (name === null ? [] : [{ name, source: { file, text } }])),
    sources: files.filter(file => file.name === null),
    functions,
    zone,
  });
}

function testFilesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.sql'))
    .sort()
    .map(name => join(folder, name));
}

function existing(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  throw new MillraceError('request_invalid', `there is no file ${path}`);
}

function readText(path: string): SourceText {
  return { file: relative(process.cwd(), resolve(path)), text: readFileSync(path, 'utf8') };
}

function urlOf(path: string): string {
  return pathToFileURL(resolve(path)).href;
}
