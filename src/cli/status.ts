import type { Command } from 'commander';
import type { ViewStatus } from '../deploy/view-access.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit } from './options.ts';
import { table } from './table.ts';

interface StatusDocument {
  readonly position: string;
  readonly views: readonly ViewStatus[];
}

export function statusCommand(exit: Exit): Command {
  return dataCommand('status', 'shows the views, their builds and their errors').action(
    async (options: CommonOptions) => {
      await withServer(options, async client => {
        if (options.json) {
          terminal.line(await client.text('GET', '/status'));
          return;
        }
        const { position, views } = await client.json<StatusDocument>('GET', '/status');
        terminal.line(`position ${position}`);
        terminal.line(
          table(
            ['view', 'state', 'serving', 'progress', 'reads'],
            views.map(v => ({
              view: v.name,
              state: v.state,
              serving: v.serving ? 'yes' : 'no',
              progress: v.build === null ? '' : `${Math.floor(v.build.fraction * 100)} %`,
              reads: v.reads.join(', '),
            })),
          ),
        );
        for (const view of views) {
          for (const text of [...view.errors, ...view.notices]) terminal.line(`\n${view.name}: ${text}`);
        }
      });
      exit(0);
    },
  );
}
