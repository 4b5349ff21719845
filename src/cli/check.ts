import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { defaultViews, loadConfig, projectRoot } from '../config.ts';
import { type ErrorCode, errorText, MillraceError } from '../core/errors.ts';
import { lineColumn } from '../core/span.ts';
import { loadExtensions } from '../dataflow/extension.ts';
import { readViewFiles, watchViewFiles } from '../deploy/discovery.ts';
import type { ViewFileText } from '../deploy/planned-views.ts';
import { planFiles } from '../deploy/view-planner.ts';
import type { DeploymentResult } from '../plan/deployment.ts';
import { type Output, terminal } from './context.ts';
import { type Exit, folder } from './options.ts';
import { counted } from './table.ts';
import { Verdicts } from './verdicts.ts';

export interface CheckOptions {
  readonly pipelines?: string | undefined;
  readonly json?: boolean | undefined;
}

export function checkCommand(exit: Exit): Command {
  return new Command('check')
    .description('checks view files without a server: syntax, names, types, cycles')
    .argument('[paths...]', 'folders of views, or files (default: views)')
    .option('--pipelines <dir>', 'folder of the YAML files and handlers', folder)
    .option('--watch', 'check again whenever a file has changed, until it is interrupted')
    .option('--json', 'machine-readable output')
    .action(async (paths: string[], options: CheckOptions & { readonly watch?: boolean }) => {
      if (!options.watch) exit(await check(paths, options, terminal));
      else {
        await watchChecks(paths, options);
        exit(0);
      }
    });
}

/** One verdict at once, then one for each change, until SIGINT or SIGTERM. */
async function watchChecks(paths: readonly string[], options: CheckOptions): Promise<void> {
  const config = loadConfig(resolve(options.pipelines ?? join(projectRoot, 'pipelines')), process.cwd());
  const asked = paths.length > 0 ? paths : [defaultViews(config)];
  const folders = new Set(asked.map(p => (existsSync(p) && statSync(p).isDirectory() ? p : folderOf(p))));
  const checked = new Verdicts(() => check(paths, options, terminal), terminal);
  const stops = [...folders].map(dir => watchViewFiles(dir, () => checked.look(textsIn([...folders]))));
  const stopped = new Promise<void>(done => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, done);
  });
  checked.look(textsIn([...folders]));
  await stopped;
  for (const stop of stops) stop();
  await checked.settled();
}

function textsIn(folders: readonly string[]): string {
  const read = (dir: string) => {
    try {
      return readViewFiles(dir, process.cwd());
    } catch (error) {
      return String(error);
    }
  };
  return JSON.stringify(folders.map(read));
}

/** Plans offline and reports every error; 0 when there is none, 1 otherwise. */
export async function check(
  paths: readonly string[],
  options: CheckOptions,
  output: Output,
): Promise<number> {
  const { files, asked, result } = await planOffline(paths, options);
  if (!files.some(f => asked(f.file))) {
    throw new MillraceError(
      'not_found',
      `there is no file *.sql in ${paths.join(', ') || 'the views folder'}`,
    );
  }
  const errors = result.errors.filter(e => e.place === undefined || asked(e.place.source.file));
  const views = result.files.filter(f => f.view !== null && asked(f.file)).length;
  if (options.json) {
    output.line(JSON.stringify({ files: files.length, views, errors: errors.map(toJson) }));
  } else {
    for (const error of errors) output.error(`${errorText(error)}\n`);
    output.line(summary(views, errors));
  }
  return errors.length === 0 ? 0 : 1;
}

function summary(views: number, errors: readonly MillraceError[]): string {
  const right = `${counted(views, 'view')} ${views === 1 ? 'is' : 'are'} right`;
  if (errors.length === 0) return right;
  const files = new Set(errors.map(e => e.place?.source.file)).size;
  return `${counted(errors.length, 'error')} in ${counted(files, 'file')}; ${right}`;
}

export interface OfflinePlan {
  readonly files: readonly ViewFileText[];
  /** was this file asked for, or is it only there for those that were */
  readonly asked: (file: string) => boolean;
  readonly result: DeploymentResult;
}

/** Plans folders and files as the server would, with the functions of `pipelines/`. */
export async function planOffline(paths: readonly string[], options: CheckOptions): Promise<OfflinePlan> {
  const pipelinesDir = resolve(options.pipelines ?? join(projectRoot, 'pipelines'));
  const config = loadConfig(pipelinesDir, process.cwd());
  const { functions } = await loadExtensions(config.extensions);
  const { files, asked } = collectFiles(paths.length > 0 ? paths : [defaultViews(config)]);
  return { files, asked, result: planFiles(files, { functions, zone: config.views.zone }) };
}

/** A single file is planned beside the sources and views of its folder, as it would be served. */
function collectFiles(paths: readonly string[]): Pick<OfflinePlan, 'files' | 'asked'> {
  const files = new Map<string, ViewFileText>();
  const asked = new Set<string>();
  for (const path of paths) {
    if (!existsSync(path)) {
      throw new MillraceError('not_found', `there is no file or folder "${path}"`);
    }
    const isFolder = statSync(path).isDirectory();
    for (const file of readViewFiles(isFolder ? path : folderOf(path), process.cwd())) {
      files.set(file.file, file);
      if (isFolder || resolve(file.file) === resolve(path)) asked.add(file.file);
    }
    if (!isFolder && ![...asked].some(f => resolve(f) === resolve(path))) {
      const file = relative(process.cwd(), resolve(path));
      files.set(file, { name: basename(path, '.sql'), file, text: readFileSync(path, 'utf8') });
      asked.add(file);
    }
  }
  return { files: [...files.values()], asked: file => asked.has(file) };
}

/** Of views: a file of `sources/` belongs to the folder above. */
function folderOf(file: string): string {
  const folder = dirname(resolve(file));
  return basename(folder) === 'sources' ? dirname(folder) : folder;
}

function toJson(error: MillraceError): { code: ErrorCode; message: string } & Record<string, unknown> {
  const { code, message, hint, place } = error;
  if (place === undefined) return { code, message, hint: hint ?? null };
  const { line, column } = lineColumn(place.source.text, place.span.start);
  return { code, message, hint: hint ?? null, file: place.source.file, line, column, text: errorText(error) };
}
