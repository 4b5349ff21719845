import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig, projectRoot } from '../config.ts';
import { type ErrorCode, errorText, MillraceError } from '../core/errors.ts';
import { lineColumn } from '../core/span.ts';
import { loadExtensions } from '../dataflow/extension.ts';
import { readViewFiles } from '../deploy/discovery.ts';
import type { ViewFileText } from '../deploy/planned-views.ts';
import { planFiles } from '../deploy/view-planner.ts';
import type { DeploymentResult } from '../plan/deployment.ts';
import { type Output, terminal } from './context.ts';
import type { Exit } from './options.ts';

export interface CheckOptions {
  readonly pipelines?: string | undefined;
  readonly json?: boolean | undefined;
}

export function checkCommand(exit: Exit): Command {
  return new Command('check')
    .description('checks view files without a server: syntax, names, types, cycles')
    .argument('[paths...]', 'folders of views, or files (default: views)')
    .option('--pipelines <dir>', 'folder of the YAML files and handlers')
    .option('--json', 'machine-readable output')
    .action(async (paths: string[], options: CheckOptions) => {
      exit(await check(paths, options, terminal));
    });
}

/** Plans offline and reports every error; 0 when there is none, 1 otherwise. */
export async function check(
  paths: readonly string[],
  options: CheckOptions,
  output: Output,
): Promise<number> {
  const { files, result } = await planOffline(paths, options);
  if (options.json) {
    output.line(
      JSON.stringify({
        files: files.length,
        views: result.plan.views.length,
        errors: result.errors.map(toJson),
      }),
    );
  } else {
    for (const error of result.errors) output.error(`${errorText(error)}\n`);
    const views = `${result.plan.views.length} views are right`;
    output.line(result.errors.length === 0 ? views : `${result.errors.length} errors; ${views}`);
  }
  return result.errors.length === 0 ? 0 : 1;
}

export interface OfflinePlan {
  readonly files: readonly ViewFileText[];
  readonly result: DeploymentResult;
}

/** Plans folders and files as the server would, with the functions of `pipelines/`. */
export async function planOffline(paths: readonly string[], options: CheckOptions): Promise<OfflinePlan> {
  const pipelinesDir = resolve(options.pipelines ?? join(projectRoot, 'pipelines'));
  const config = loadConfig(pipelinesDir, process.cwd());
  const { functions } = await loadExtensions(config.extensions);
  const files = collectFiles(paths.length > 0 ? paths : [config.views.folder]);
  return { files, result: planFiles(files, { functions, zone: config.views.zone }) };
}

function collectFiles(paths: readonly string[]): readonly ViewFileText[] {
  const files = new Map<string, ViewFileText>();
  for (const path of paths) {
    if (!existsSync(path)) {
      throw new MillraceError('not_found', `there is no file or folder "${path}"`);
    }
    if (statSync(path).isDirectory()) {
      for (const file of readViewFiles(path, process.cwd())) files.set(file.file, file);
      continue;
    }
    // a single file is checked beside its folder's sources and views, as it would be served
    const folder = resolve(path, '..');
    for (const file of readViewFiles(folder, process.cwd())) files.set(file.file, file);
    const shown = path.replace(/^\.\//, '');
    if (![...files.values()].some(f => resolve(f.file) === resolve(path))) {
      files.set(shown, { name: basename(path, '.sql'), file: shown, text: readFileSync(path, 'utf8') });
    }
  }
  return [...files.values()];
}

function toJson(error: MillraceError): { code: ErrorCode; message: string } & Record<string, unknown> {
  const { code, message, hint, place } = error;
  if (place === undefined) return { code, message, hint: hint ?? null };
  const { line, column } = lineColumn(place.source.text, place.span.start);
  return { code, message, hint: hint ?? null, file: place.source.file, line, column, text: errorText(error) };
}
