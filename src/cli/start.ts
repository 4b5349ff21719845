import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { defaultViews, loadConfig, projectRoot } from '../config.ts';
import { MillraceError } from '../core/errors.ts';
import type { RunningMillrace } from '../main.ts';
import { memoryBudget } from '../memory-setting.ts';
import { buildFraction, viewNews } from './build-watch.ts';
import { dataFolder, rememberFolders, runningServer, terminal } from './context.ts';
import { type Exit, folder, portNumber } from './options.ts';
import { type ProgressLine, progressLine } from './progress.ts';
import { counted } from './table.ts';

interface StartFlags {
  readonly data?: string;
  readonly views?: string;
  readonly pipelines?: string;
  readonly host?: string;
  readonly port?: number;
  readonly sample: boolean;
  readonly sampleUntil?: number;
  readonly watch: boolean;
  readonly memoryBudget?: number;
  readonly json?: boolean;
}

const LOOK_EVERY = 300;

export function startCommand(exit: Exit): Command {
  return new Command('start')
    .description('runs the server on the embedded log')
    .option(
      '--data <dir>',
      'data folder (default: $MILLRACE_DATA, else data.folder of pipelines/settings.yaml)',
    )
    .option('--views <dir>', 'folder of the views', folder)
    .option('--pipelines <dir>', 'folder of the YAML files and handlers', folder)
    .option('--host <address>', 'address to listen on; beyond loopback MILLRACE_TOKEN must be set')
    .option('--port <n>', 'port; 0 takes any free one', portNumber)
    .option('--no-sample', 'do not lay down the sample history in an empty data folder')
    .option(
      '--sample-until <date>',
      'where the sample history ends (YYYY-MM-DD or an ISO time; default: now)',
      time,
    )
    .option(
      '--memory-budget <size>',
      "what the state of all views may take, as 2GiB or a share of the machine's memory (default: memory.budget of pipelines/settings.yaml, else 25%)",
      memorySize,
    )
    .option('--no-watch', 'do not react to changes of view files')
    .option('--json', 'tell the address as one JSON line once it serves')
    .action(async (flags: StartFlags) => {
      const signals = new StopSignals();
      const progress = progressLine(process.stderr);
      const server = await serve(flags, progress);
      signals.started();
      const watch = watchBuilds(server, progress);
      await signals.stop;
      clearInterval(watch);
      progress.end();
      await server.stop();
      exit(0);
    });
}

async function serve(flags: StartFlags, progress: ProgressLine): Promise<RunningMillrace> {
  const pipelines = resolve(flags.pipelines ?? join(projectRoot, 'pipelines'));
  const config = loadConfig(pipelines, process.cwd());
  const data =
    flags.data !== undefined || process.env.MILLRACE_DATA ? await dataFolder(flags.data) : config.dataFolder;
  const views = resolve(flags.views ?? defaultViews(config));
  const { startMillrace } = await import('../main.ts');
  const server = await startMillrace({
    dataDir: data,
    viewsDir: views,
    pipelinesDir: pipelines,
    host: flags.host,
    port: flags.port,
    ...(flags.sample ? {} : { sample: false }),
    sampleUntil: flags.sampleUntil,
    memoryBudget: flags.memoryBudget,
    ...(flags.watch ? {} : { watch: false }),
    onProgress: (text, fraction) => progress.show(text, fraction),
  }).catch(async (error: unknown) => {
    progress.end();
    throw await alreadyServed(error, data);
  });
  progress.end();
  rememberFolders(data, { views, pipelines });
  const names = server.views.list().map(v => v.name);
  if (flags.json) terminal.line(JSON.stringify({ url: server.url, data, views: names }));
  else {
    const shown = names.includes('possible_fraud') ? '/possible_fraud' : names[0] ? `/${names[0]}` : '';
    terminal.line(`Millrace serves ${counted(names.length, 'view')} at ${server.url} (data: ${data})`);
    terminal.line(`  read one:     curl ${server.url}/views${shown}`);
    terminal.line(
      '  go on:        npx millrace status; drop a .sql file into the views folder; docs/README.md',
    );
  }
  return server;
}

async function alreadyServed(error: unknown, data: string): Promise<unknown> {
  if (!(error instanceof MillraceError) || error.code !== 'data_folder_locked') return error;
  const running = await runningServer(data);
  if (running === null) return error;
  return new MillraceError(error.code, `a server runs on this data folder already: ${running.url}`, {
    hint: 'stop it first, or serve another folder with --data and --port',
    cause: error,
  });
}

/** Builds show a progress bar; files that were dropped, broken or removed show a line. */
function watchBuilds(server: RunningMillrace, progress: ProgressLine): NodeJS.Timeout {
  let before = server.views.list();
  return setInterval(() => {
    const now = server.views.list();
    const build = buildFraction(now);
    if (build !== null) progress.show(build.text, build.fraction);
    const news = viewNews(before, now);
    before = now;
    if (build === null || news.length > 0) progress.end();
    for (const line of news) terminal.error(line);
  }, LOOK_EVERY);
}

function memorySize(text: string): number {
  const bytes = memoryBudget(text);
  if (bytes === null) throw new InvalidArgumentError('An amount such as 512MiB, 2GiB or 25% is expected.');
  return bytes;
}

function time(text: string): number {
  const ms = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59Z` : text);
  if (!Number.isFinite(ms)) throw new InvalidArgumentError('A date such as 2026-01-31 is expected.');
  return ms;
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/**
 * The first signal asks for a clean stop, a second SIGINT or SIGTERM ends the process at once; so does the first one
 * before the server serves: the log is always whole, and the next start goes on where this one was.
 */
class StopSignals {
  readonly stop: Promise<void>;
  #started = false;
  #asked = false;

  constructor() {
    this.stop = new Promise(resolve => {
      for (const [signal, number] of Object.entries(SIGNAL_NUMBERS)) {
        process.on(signal, () => {
          if (!this.#started || (this.#asked && signal !== 'SIGHUP')) process.exit(128 + number);
          this.#asked = true;
          resolve();
        });
      }
    });
  }

  started(): void {
    this.#started = true;
  }
}
