import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { byteText } from '../../core/byte-size.ts';
import { MillraceError } from '../../core/errors.ts';
import { damageText } from '../../log/embedded/damage.ts';
import { isWhole, type VerifiedLog, verifyLog } from '../../log/embedded/verify.ts';
import { dataFolder, terminal } from '../context.ts';
import type { Exit } from '../options.ts';
import { progressLine } from '../progress.ts';
import { counted, table } from '../table.ts';

export function verifyCommand(exit: Exit): Command {
  return new Command('verify')
    .description('reads the whole log and compares its checksums; beside a running server too')
    .option(
      '--data <dir>',
      'data folder (default: $MILLRACE_DATA, else data.folder of pipelines/settings.yaml)',
    )
    .option('--json', 'machine-readable output')
    .action(async (options: { data?: string; json?: boolean }) => {
      const dir = join(await dataFolder(options.data), 'log');
      if (!existsSync(dir)) {
        throw new MillraceError('not_found', `there is no log in ${dir}`, {
          hint: 'name the data folder with --data',
        });
      }
      const progress = progressLine(process.stderr);
      const log = await verifyLog(dir, (done, total) =>
        progress.show('verifying', total === 0 ? 1 : done / total),
      );
      progress.end();
      terminal.line(options.json ? JSON.stringify(log) : verifiedText(log));
      exit(isWhole(log) ? 0 : 1);
    });
}

function verifiedText({ files, missing, start, end }: VerifiedLog): string {
  const rows = files.map(f => ({
    file: f.file,
    blocks: f.blocks,
    records: f.records,
    size: byteText(f.bytes),
    damage: f.damage.length === 0 ? 'none' : counted(f.damage.length, 'block'),
  }));
  const damage = files.flatMap(f => f.damage);
  const bad = [
    ...damage.map(damageText),
    ...missing.map(({ from, to }) => `the log holds no record ${from} to ${to - 1} although it should`),
  ];
  return [
    table(['file', 'blocks', 'records', 'size', 'damage'], rows),
    ...bad,
    bad.length === 0
      ? `sequences ${start} to ${end} are whole`
      : 'restore the data folder from a backup: millrace restore',
  ].join('\n');
}
