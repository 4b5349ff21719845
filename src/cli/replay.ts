import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ViewStatus } from '../deploy/view-access.ts';
import type { ApiClient } from './api-client.ts';
import { buildFraction } from './build-watch.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit } from './options.ts';
import { progressLine } from './progress.ts';

interface ReplayOptions extends CommonOptions {
  readonly cancel?: boolean;
  readonly wait: boolean;
}

const LOOK_EVERY = 200;

export function replayCommand(exit: Exit): Command {
  return dataCommand('replay', 'rebuilds a view from history beside the served one, then switches')
    .argument('<view>', 'view')
    .option('--cancel', 'cancel a running rebuild')
    .option('--no-wait', 'only begin it')
    .action(async (view: string, options: ReplayOptions) => {
      const path = `/views/${encodeURIComponent(view)}/replay`;
      const code = await withServer(options, async ({ client, temporary }) => {
        const say = (text: string, json: string): void => terminal.line(options.json ? json : text);
        if (options.cancel) {
          say(`the rebuild of ${view} is cancelled`, await client.text('DELETE', path));
          return 0;
        }
        const begun = await client.text('POST', path);
        // a server that is there for this call alone has to stay until the rebuild is done
        if (!options.wait && !temporary) {
          say(`the rebuild of ${view} has begun; see it with: npx millrace status`, begun);
          return 0;
        }
        const status = await rebuilt(client, view);
        const done = status.state === 'live';
        say(
          done ? `${view} is rebuilt and served` : [`${view} is not rebuilt`, ...told(status)].join('\n'),
          JSON.stringify(status),
        );
        return done ? 0 : 1;
      });
      exit(code);
    });
}

/** `millrace resume`: a paused view is rebuilt from history; while it is, its last rows go on being served. */
export function resumeCommand(exit: Exit): Command {
  return dataCommand('resume', 'takes up a view that is paused for lack of memory')
    .argument('<view>', 'view')
    .option('--no-wait', 'only begin it')
    .action(async (view: string, options: ReplayOptions) => {
      const path = `/views/${encodeURIComponent(view)}`;
      const code = await withServer(options, async ({ client, temporary }) => {
        const say = (text: string, json: string): void => terminal.line(options.json ? json : text);
        const before = await client.json<ViewStatus>('GET', `${path}/status`);
        if (before.state !== 'paused') {
          say(`${before.name} is not paused: it is ${before.state}`, JSON.stringify(before));
          return 1;
        }
        const begun = await client.text('POST', `${path}/replay`);
        if (!options.wait && !temporary) {
          say(`${before.name} is being taken up; see it with: npx millrace status`, begun);
          return 0;
        }
        const status = await rebuilt(client, view);
        const done = status.state === 'live';
        say(
          done ? `${status.name} goes on` : [`${status.name} stays paused`, ...told(status)].join('\n'),
          JSON.stringify(status),
        );
        return done ? 0 : 1;
      });
      exit(code);
    });
}

const told = (status: ViewStatus): readonly string[] => [...status.errors, ...status.notices];

/** Follows the rebuild to its end. */
async function rebuilt(client: ApiClient, view: string): Promise<ViewStatus> {
  const progress = progressLine(process.stderr);
  for (;;) {
    const status = await client.json<ViewStatus>('GET', `/views/${encodeURIComponent(view)}/status`);
    const build = buildFraction([status]);
    if (build === null) {
      progress.end();
      return status;
    }
    progress.show(build.text, build.fraction);
    await pause(LOOK_EVERY);
  }
}
