import { Command } from 'commander';
import { errorText, MillraceError, MillraceErrors } from '../core/errors.ts';
import { explain } from '../plan/explain.ts';
import { closest } from '../sql/suggest.ts';
import { type CheckOptions, planOffline } from './check.ts';
import { terminal } from './context.ts';
import type { Exit } from './options.ts';

interface ExplainOptions extends CheckOptions {
  readonly views: string;
}

export function explainCommand(exit: Exit): Command {
  return new Command('explain')
    .description('shows how a view is computed: operators, keys, kinds of changes, state')
    .argument('<view>', 'name of the view, or its file')
    .option('--views <dir>', 'folder of the views', 'views')
    .option('--pipelines <dir>', 'folder of the YAML files and handlers')
    .option('--json', 'the plan as JSON')
    .action(async (view: string, options: ExplainOptions) => {
      const isFile = view.endsWith('.sql');
      const { result } = await planOffline([isFile ? view : options.views], options);
      const name = isFile ? (view.split('/').at(-1) ?? view).slice(0, -'.sql'.length) : view;
      const plan = result.plan.views.find(v => v.name.toLowerCase() === name.toLowerCase());
      if (plan === undefined) {
        const own = result.files.find(f => f.name.toLowerCase() === name.toLowerCase());
        if (own !== undefined) throw new MillraceErrors(own.errors);
        const near = closest(
          name,
          result.plan.views.map(v => v.name),
        );
        throw new MillraceError('unknown_view', `there is no view "${name}"`, {
          hint: near === null ? undefined : `did you mean "${near}"?`,
        });
      }
      if (options.json)
        terminal.line(JSON.stringify(plan, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)));
      else terminal.line(explain(plan, result.plan.views));
      for (const error of result.errors) terminal.error(errorText(error));
      exit(0);
    });
}
