import { Command, InvalidArgumentError } from 'commander';
import { type Exit, wholeNumber } from './options.ts';
import { progressLine } from './progress.ts';

interface StartFlags {
  readonly data?: string;
  readonly views?: string;
  readonly pipelines?: string;
  readonly host?: string;
  readonly port?: number;
  readonly sample: boolean;
  readonly sampleUntil?: number;
  readonly watch: boolean;
}

export function startCommand(exit: Exit): Command {
  return new Command('start')
    .description('runs the server on the embedded log')
    .option('--data <dir>', 'data folder (default: from pipelines/settings.yaml)', process.env.MILLRACE_DATA)
    .option('--views <dir>', 'folder of the views')
    .option('--pipelines <dir>', 'folder of the YAML files and handlers')
    .option('--host <address>', 'address to listen on; beyond loopback MILLRACE_TOKEN must be set')
    .option('--port <n>', 'port; 0 takes any free one', wholeNumber)
    .option('--no-sample', 'do not lay down the sample history in an empty data folder')
    .option(
      '--sample-until <date>',
      'where the sample history ends (YYYY-MM-DD or an ISO time; default now)',
      time,
    )
    .option('--no-watch', 'do not react to changes of view files')
    .action(async (flags: StartFlags) => {
      const { startMillrace } = await import('../main.ts');
      const progress = progressLine(process.stderr);
      const server = await startMillrace({
        dataDir: flags.data,
        viewsDir: flags.views,
        pipelinesDir: flags.pipelines,
        host: flags.host,
        port: flags.port,
        ...(flags.sample ? {} : { sample: false }),
        sampleUntil: flags.sampleUntil,
        ...(flags.watch ? {} : { watch: false }),
        onProgress: (text, fraction) => progress.show(text, fraction),
      });
      progress.end();
      await untilSignal();
      await server.stop();
      exit(0);
    });
}

function time(text: string): number {
  const ms = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59Z` : text);
  if (!Number.isFinite(ms)) throw new InvalidArgumentError('a date such as 2026-01-31 is expected');
  return ms;
}

function untilSignal(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
