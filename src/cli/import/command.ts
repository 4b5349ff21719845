import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Argument, Command } from 'commander';
import { defaultViews, loadConfig, projectRoot } from '../../config.ts';
import { errorText, type MillraceError } from '../../core/errors.ts';
import { loadExtensions } from '../../dataflow/extension.ts';
import { readViewFiles } from '../../deploy/discovery.ts';
import type { ViewFileText } from '../../deploy/planned-views.ts';
import { planFiles } from '../../deploy/view-planner.ts';
import { terminal } from '../context.ts';
import { type Exit, folder } from '../options.ts';
import { counted } from '../table.ts';
import { type ImportedFile, type ImportPlan, splitScript } from './split-script.ts';

interface ImportOptions {
  readonly into?: string;
  readonly pipelines?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function importCommand(exit: Exit): Command {
  return new Command('import')
    .description('splits a script of KSQL into view files and source declarations, and checks them')
    .addArgument(new Argument('<language>', 'of the script').choices(['ksql']))
    .argument('<file>', 'the script')
    .option('--into <dir>', 'folder of the views, made when it is not there (default: views)')
    .option('--pipelines <dir>', 'folder of the YAML files and handlers', folder)
    .option('--dry-run', 'only show what would be written')
    .option('--force', 'overwrite files that are there already')
    .option('--json', 'machine-readable output')
    .action(async (_language: string, file: string, options: ImportOptions) => {
      exit(await importScript(file, options));
    });
}

type Fate = 'written' | 'same' | 'exists';
type Placed = ImportedFile & { readonly fate: Fate; readonly target: string };

async function importScript(file: string, options: ImportOptions): Promise<number> {
  const config = loadConfig(resolve(options.pipelines ?? join(projectRoot, 'pipelines')), process.cwd());
  const into = options.into ?? defaultViews(config);
  const split = splitScript({ file, text: readFileSync(file, 'utf8') });
  const placed = split.files.map(f => place(f, into, options.force === true));
  const folderAfter = overlaid(into, placed);
  const { functions } = await loadExtensions(config.extensions);
  const { errors } = planFiles(folderAfter, { functions, zone: config.views.zone });
  if (!options.dryRun)
    for (const one of placed) if (one.fate === 'written') write(one, options.force === true);
  if (options.json) showJson(split, placed, errors);
  else show(split, placed, errors, options.dryRun === true);
  const whole = split.errors.length === 0 && errors.length === 0 && placed.every(f => f.fate !== 'exists');
  return whole ? 0 : 1;
}

function place(file: ImportedFile, into: string, force: boolean): Placed {
  const target = join(into, file.path);
  const found = existsSync(target) ? readFileSync(target, 'utf8') : null;
  const fate = found === file.text ? 'same' : found === null || force ? 'written' : 'exists';
  return { ...file, fate, target };
}

/** A file that appeared meanwhile is not overwritten either, unless that is forced. */
function write({ target, text }: Placed, force: boolean): void {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text, { flag: force ? 'w' : 'wx' });
}

/** The folder as it will be. */
function overlaid(into: string, placed: readonly Placed[]): ViewFileText[] {
  const root = process.cwd();
  const files = new Map<string, ViewFileText>();
  if (existsSync(into)) for (const file of readViewFiles(into, root)) files.set(file.file, file);
  for (const { path, target, text, fate } of placed) {
    if (fate !== 'written') continue;
    const file = relative(root, resolve(target));
    const name = path.startsWith('sources/') ? null : path.replace(/\.sql$/, '');
    files.set(file, { name, file, text });
  }
  return [...files.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
}

function show(
  { decisions, errors: unread }: ImportPlan,
  placed: readonly Placed[],
  errors: readonly MillraceError[],
  dryRun: boolean,
): void {
  const words: Readonly<Record<Fate, string>> = {
    written: dryRun ? 'would write' : 'wrote',
    same: 'unchanged',
    exists: 'kept (it differs; --force overwrites)',
  };
  for (const { fate, target, line } of placed) terminal.line(`${words[fate]} ${target} (line ${line})`);
  if (decisions.length > 0) {
    terminal.line(`\n${counted(decisions.length, 'statement')} to decide:`);
    for (const { line, statement, decide, comment } of decisions) {
      if (comment !== '') terminal.line(comment);
      terminal.line(`line ${line}: ${shortened(statement)}\n  ${decide}`);
    }
  }
  for (const error of [...unread, ...errors]) terminal.error(`${errorText(error)}\n`);
  terminal.line(
    `\n${counted(placed.length, 'file')}, ${counted(decisions.length, 'decision')}, ${counted(unread.length + errors.length, 'error')}`,
  );
}

function showJson(split: ImportPlan, placed: readonly Placed[], errors: readonly MillraceError[]): void {
  const files = placed.map(({ target, line, fate }) => ({ file: target, line, fate }));
  const texts = [...split.errors, ...errors].map(e => ({
    code: e.code,
    message: e.message,
    text: errorText(e),
  }));
  terminal.line(JSON.stringify({ files, decisions: split.decisions, errors: texts }));
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
