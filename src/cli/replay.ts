import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { BuildProgress } from '../deploy/view-access.ts';
import type { ApiClient } from './api-client.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit } from './options.ts';
import { progressLine } from './progress.ts';

interface StatusAnswer {
  readonly name: string;
  readonly state: string;
  readonly build: BuildProgress | null;
  readonly errors: readonly string[];
}

const LOOK_EVERY = 200;

export function replayCommand(exit: Exit): Command {
  return dataCommand('replay', 'rebuilds a view from history beside the served one, then switches')
    .argument('<view>', 'view')
    .option('--cancel', 'cancel a running rebuild')
    .option('--no-wait', 'only begin it')
    .action(async (view: string, options: CommonOptions & { cancel?: boolean; wait: boolean }) => {
      const path = `/views/${encodeURIComponent(view)}/replay`;
      const code = await withServer(options, async client => {
        if (options.cancel) {
          terminal.line(await client.text('DELETE', path));
          return 0;
        }
        const begun = await client.text('POST', path, '{}');
        if (!options.wait) {
          terminal.line(begun);
          return 0;
        }
        return follow(client, view, options.json === true);
      });
      exit(code);
    });
}

async function follow(client: ApiClient, view: string, json: boolean): Promise<number> {
  const progress = progressLine(process.stderr);
  for (;;) {
    const status = await client.json<StatusAnswer>('GET', `/views/${encodeURIComponent(view)}/status`);
    if (status.build !== null && status.state === 'building') {
      progress.show(
        `${view}: ${status.build.position} of ${status.build.target} records`,
        status.build.fraction,
      );
      await pause(LOOK_EVERY);
      continue;
    }
    progress.end();
    if (json) terminal.line(JSON.stringify(status));
    else
      terminal.line(
        status.state === 'live' ? `${view} is rebuilt and served` : `${view}: ${status.errors.join('\n')}`,
      );
    return status.state === 'live' ? 0 : 1;
  }
}
