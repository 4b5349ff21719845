import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { byteText } from '../core/byte-size.ts';
import { positionToken } from '../core/position.ts';
import { logDir } from '../dataflow/worker-environment.ts';
import { restoreLog } from '../log/embedded/restore.ts';
import { ApiProblem } from './api-client.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit } from './options.ts';
import { progressLine } from './progress.ts';
import { counted } from './table.ts';

const LOOK_EVERY = 200;

/** `GET /log/backup` */
interface BackupDocument {
  readonly folder: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly fraction: number;
  readonly position?: string;
  readonly segments?: number;
  readonly bytes?: number;
  readonly error?: Readonly<Record<string, unknown>>;
}

export function backupCommand(exit: Exit): Command {
  return dataCommand('backup', 'copies the log as it stands now into a folder, beside a running server too')
    .argument('<folder>', "folder on the server's machine; may hold an earlier backup")
    .option('--link', 'hard links instead of copies: at once, and no protection against a broken disk')
    .action(async (folder: string, options: CommonOptions & { link?: boolean }) => {
      await withServer(options, async ({ client }) => {
        const body = JSON.stringify({ folder: resolve(folder), link: options.link ?? false });
        await client.text('POST', '/log/backup', { body });
        const progress = progressLine(process.stderr);
        for (;;) {
          const json = await client.text('GET', '/log/backup');
          const status = JSON.parse(json) as BackupDocument;
          if (status.state === 'running') {
            progress.show('backing up', status.fraction);
            await pause(LOOK_EVERY);
            continue;
          }
          progress.end();
          if (status.error !== undefined) throw new ApiProblem(Number(status.error.status), status.error);
          terminal.line(options.json ? json : doneText(status));
          return;
        }
      });
      exit(0);
    });
}

function doneText({ folder, position, segments = 0, bytes = 0 }: BackupDocument): string {
  return `${folder} holds every record before ${position}: ${counted(segments, 'segment')}, ${byteText(bytes)}`;
}

export function restoreCommand(exit: Exit): Command {
  return new Command('restore')
    .description('makes a data folder from a backup, every byte checked')
    .argument('<folder>', 'folder of the backup')
    .requiredOption('--to <dir>', 'data folder to be; must not hold a log')
    .option('--json', 'machine-readable output')
    .action(async (folder: string, options: { to: string; json?: boolean }) => {
      const data = resolve(options.to);
      const progress = progressLine(process.stderr);
      const manifest = await restoreLog({
        backup: resolve(folder),
        data,
        dir: logDir(data),
        onProgress: (done, total) => progress.show('restoring', total === 0 ? 1 : done / total),
      });
      progress.end();
      const position = positionToken({ log: manifest.log, seq: manifest.position });
      terminal.line(
        options.json
          ? JSON.stringify({ data, position })
          : `${data} holds every record before ${position}; the views are rebuilt at the next start`,
      );
      exit(0);
    });
}
