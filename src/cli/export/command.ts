import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { planOffline } from '../check.ts';
import { terminal } from '../context.ts';
import { type Exit, folder } from '../options.ts';
import { DIALECTS, type Dialect } from './dialect.ts';
import { exportView } from './export-view.ts';

interface ExportOptions {
  readonly dialect: Dialect;
  readonly views?: string;
  readonly pipelines?: string;
  readonly json?: boolean;
}

export function exportCommand(exit: Exit): Command {
  return new Command('export')
    .description("prints a view's query in another dialect of SQL, and tells what does not carry over")
    .argument('<view>', 'name of the view, or its file')
    .addOption(
      new Option('--dialect <dialect>', 'of the printed query').choices(DIALECTS).makeOptionMandatory(),
    )
    .option('--views <dir>', 'folder of the views', folder)
    .option('--pipelines <dir>', 'folder of the YAML files and handlers', folder)
    .option('--json', 'machine-readable output, the notes included')
    .action(async (view: string, options: ExportOptions) => {
      const isFile = view.endsWith('.sql');
      const paths = isFile ? [view] : options.views === undefined ? [] : [options.views];
      const planned = await planOffline(paths, { pipelines: options.pipelines });
      const exported = exportView(planned, isFile ? basename(view, '.sql') : view, options.dialect);
      if (options.json) terminal.line(JSON.stringify(exported));
      else {
        terminal.line(exported.sql);
        for (const note of exported.notes) terminal.error(`note: ${note}`);
      }
      exit(0);
    });
}
