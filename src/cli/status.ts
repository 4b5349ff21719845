import type { Command } from 'commander';
import type { ViewStatus } from '../deploy/view-access.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit } from './options.ts';
import { counted, table } from './table.ts';

interface StatusDocument {
  readonly position: string;
  readonly log: { readonly end: number };
  readonly lag: number;
  readonly views: readonly ViewStatus[];
  readonly errors: readonly string[];
}

export function statusCommand(exit: Exit): Command {
  return dataCommand('status', 'shows the views, their builds and their errors').action(
    async (options: CommonOptions) => {
      await withServer(options, async ({ client, temporary }) => {
        if (options.json) {
          terminal.line(await client.text('GET', '/status'));
          return;
        }
        const status = await client.json<StatusDocument>('GET', '/status');
        terminal.line(temporary ? 'no server runs on this folder' : `server ${client.url}`);
        terminal.line(statusText(status));
      });
      exit(0);
    },
  );
}

function statusText({ position, log, lag, views, errors }: StatusDocument): string {
  const rows = views.map(v => ({
    view: v.name,
    state: v.state,
    serving: v.serving ? 'yes' : 'no',
    progress: v.build === null ? '' : `${Math.floor(v.build.fraction * 100)} %`,
    reads: v.reads.join(', '),
  }));
  const texts = [
    ...errors,
    ...views.flatMap(v => [...v.errors, ...v.notices.map(notice => `${v.name}: ${notice}`)]),
  ];
  return [
    `${counted(log.end, 'record')} in the log, views ${lag === 0 ? 'up to date' : `${lag} behind`}, position ${position}`,
    '',
    table(['view', 'state', 'serving', 'progress', 'reads'], rows),
    ...texts.map(text => `\n${text}`),
  ].join('\n');
}
