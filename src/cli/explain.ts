import { basename } from 'node:path';
import { Command } from 'commander';
import { MillraceError, MillraceErrors } from '../core/errors.ts';
import type { DeploymentResult } from '../plan/deployment.ts';
import { explain } from '../plan/explain.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { closest } from '../sql/suggest.ts';
import { type CheckOptions, planOffline } from './check.ts';
import { terminal } from './context.ts';
import { type Exit, folder } from './options.ts';

interface ExplainOptions extends CheckOptions {
  readonly views?: string;
}

export function explainCommand(exit: Exit): Command {
  return new Command('explain')
    .description('shows how a view is computed: operators, keys, kinds of changes, state')
    .argument('<view>', 'name of the view, or its file')
    .option('--views <dir>', 'folder of the views', folder)
    .option('--pipelines <dir>', 'folder of the YAML files and handlers', folder)
    .option('--json', 'the plan as JSON')
    .action(async (view: string, options: ExplainOptions) => {
      const isFile = view.endsWith('.sql');
      const views = options.views === undefined ? [] : [options.views];
      const { result } = await planOffline(isFile ? [view] : views, options);
      const plan = planned(result, isFile ? basename(view, '.sql') : view);
      if (options.json)
        terminal.line(JSON.stringify(plan, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)));
      else terminal.line(explain(plan).trimEnd());
      exit(0);
    });
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
    hint: near === null ? undefined : `did you mean "${near}"?`,
  });
}
