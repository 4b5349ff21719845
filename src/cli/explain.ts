import { basename } from 'node:path';
import { Command } from 'commander';
import { MillraceError, MillraceErrors } from '../core/errors.ts';
import type { DeploymentResult } from '../plan/deployment.ts';
import { explain } from '../plan/explain.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { closest } from '../sql/suggest.ts';
import { ApiClient } from './api-client.ts';
import { type CheckOptions, planOffline } from './check.ts';
import { dataFolder, runningServer, terminal } from './context.ts';
import { type Exit, folder } from './options.ts';

interface ExplainOptions extends CheckOptions {
  readonly views?: string;
  readonly data?: string;
}

export function explainCommand(exit: Exit): Command {
  return new Command('explain')
    .description('shows how a view is computed: operators, keys, kinds of changes, state')
    .argument('<view>', 'name of the view, or its file')
    .option('--views <dir>', 'folder of the views', folder)
    .option('--pipelines <dir>', 'folder of the YAML files and handlers', folder)
    .option(
      '--data <dir>',
      'data folder of a running server: tells also since when the served view has its records',
    )
    .option('--json', 'the plan as JSON')
    .action(async (view: string, options: ExplainOptions) => {
      const isFile = view.endsWith('.sql');
      const views = options.views === undefined ? [] : [options.views];
      const { result } = await planOffline(isFile ? [view] : views, options);
      const plan = planned(result, isFile ? basename(view, '.sql') : view);
      const since = options.data === undefined ? null : await servedSince(options.data, plan.name);
      if (options.json) {
        const shown = since === null ? plan : { ...plan, since };
        terminal.line(JSON.stringify(shown, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)));
      } else {
        terminal.line(explain(plan).trimEnd());
        if (since !== null)
          terminal.line(`\nserved with the records since ${since.time}, position ${since.position}`);
      }
      exit(0);
    });
}

interface Since {
  readonly position: string;
  readonly time: string;
}

/** Null: the served view has all records; or nothing is known of it. */
async function servedSince(data: string, view: string): Promise<Since | null> {
  const dataDir = await dataFolder(data);
  const server = await runningServer(dataDir);
  if (server === null) {
    throw new MillraceError('not_found', `no server runs on ${dataDir}`, {
      hint: 'leave --data out: the plan needs no server',
    });
  }
  const path = `/views/${encodeURIComponent(view)}/status`;
  const { since } = await new ApiClient(server).json<{ readonly since?: Since }>('GET', path);
  return since ?? null;
}

function planned({ plan, files, catalog }: DeploymentResult, name: string): ViewPlan {
  const isNamed = (other: { readonly name: string }) => other.name.toLowerCase() === name.toLowerCase();
  const found = plan.views.find(isNamed);
  if (found !== undefined) return found;
  const own = files.find(isNamed);
  if (own !== undefined && own.errors.length > 0) throw new MillraceErrors(own.errors);
  if ([...catalog.relations()].some(isNamed)) {
    throw new MillraceError('unknown_view', `"${name}" is a source: it is read as it is declared`, {
      hint: 'explain a view that reads it',
    });
  }
  const near = closest(
    name,
    files.map(f => f.name),
  );
  throw new MillraceError('unknown_view', `there is no view "${name}"`, {
    hint: near === null ? known(files.map(f => f.name)) : `did you mean "${near}"?`,
  });
}

const MOST_NAMES = 12;

function known(names: readonly string[]): string {
  if (names.length === 0) return 'there are no views in this folder';
  const more = names.length > MOST_NAMES ? ', ...' : '';
  return `the views are ${names.slice(0, MOST_NAMES).join(', ')}${more}`;
}
