import type { Command } from 'commander';
import { type CommonOptions, terminal, withServer } from '../context.ts';
import { dataCommand, type Exit } from '../options.ts';
import { table } from '../table.ts';

/** `GET /log` */
export interface LogDocument {
  readonly id: string;
  readonly start: string;
  readonly position: string;
  readonly topics: readonly {
    readonly name: string;
    readonly records: number;
    readonly starts: readonly number[];
    readonly ends: readonly number[];
    readonly since: string | null;
    readonly compacted: string | null;
  }[];
  readonly acts: readonly ActDocument[];
  readonly upkeep: { readonly kind: string; readonly topic: string; readonly fraction: number } | null;
}

export interface ActDocument {
  readonly n: number;
  readonly at: string;
  readonly by: string;
  readonly kind: string;
  readonly topic: string;
  readonly before: string;
  readonly incomplete: readonly string[];
}

export function showCommand(exit: Exit): Command {
  return dataCommand('show', 'shows what each topic keeps, and what was taken from the log').action(
    async (options: CommonOptions) => {
      await withServer(options, async ({ client }) => {
        const json = await client.text('GET', '/log');
        terminal.line(options.json ? json : logText(JSON.parse(json) as LogDocument));
      });
      exit(0);
    },
  );
}

function logText({ id, start, position, topics, acts, upkeep }: LogDocument): string {
  const rows = topics.map(t => ({
    topic: t.name,
    offsets: t.ends.map((end, p) => `${t.starts[p] ?? 0}..${end}`).join(', '),
    'complete since': t.since ?? 'the beginning',
    'compacted before': t.compacted ?? '',
  }));
  const taken = acts.map(a => ({ ...a, 'no longer exact': a.incomplete.join(', ') }));
  return [
    `log ${id}, from ${start} to ${position}`,
    table(['topic', 'offsets', 'complete since', 'compacted before'], rows),
    ...(taken.length === 0
      ? ['nothing was ever taken from it']
      : [table(['n', 'at', 'by', 'kind', 'topic', 'before', 'no longer exact'], taken)]),
    ...(upkeep === null
      ? []
      : [`${upkeep.kind} of ${upkeep.topic}: ${Math.floor(upkeep.fraction * 100)} % of the room is free`]),
  ].join('\n\n');
}
