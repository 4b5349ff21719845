import type { Command } from 'commander';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit } from './options.ts';
import { table } from './table.ts';

interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly truncated: boolean;
}

export function queryCommand(exit: Exit): Command {
  return dataCommand('query', 'runs one SELECT over views and the last records of topics')
    .argument('<sql>', 'the statement')
    .action(async (sql: string, options: CommonOptions) => {
      await withServer(options, async ({ client }) => {
        const body = JSON.stringify({ sql });
        if (options.json) {
          terminal.line(await client.text('POST', '/query', { body }));
          return;
        }
        const answer = await client.json<QueryAnswer>('POST', '/query', { body });
        terminal.line(
          table(
            answer.columns.map(c => c.name),
            answer.rows,
          ),
        );
        if (answer.truncated) terminal.error('(more rows were left out)');
      });
      exit(0);
    });
}
