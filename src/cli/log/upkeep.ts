import { userInfo } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/clock.ts';
import type { ApiClient } from '../api-client.ts';
import { type CommonOptions, terminal, withServer } from '../context.ts';
import { dataCommand, type Exit, wholeNumber } from '../options.ts';
import { progressLine } from '../progress.ts';
import { counted } from '../table.ts';
import type { ActDocument, LogDocument } from './show.ts';

interface UpkeepOptions extends CommonOptions {
  readonly before?: Cut;
  readonly partition?: number;
  readonly yes?: boolean;
  readonly acceptIncompleteRebuilds?: boolean;
  readonly keepTombstonesFor?: number;
}

type Cut = { readonly position: string } | { readonly time: string } | { readonly offset: number };

interface Preview {
  readonly before: string;
  readonly records: number;
  readonly incomplete: readonly string[];
}

const HOUR = 3_600_000;
const LOOK_EVERY = 200;

export function trimCommand(exit: Exit): Command {
  return upkeepCommand('trim', 'takes the records of a topic below a cut', exit).requiredOption(
    '--before <cut>',
    'position, time (when it was appended), or offset: records before it go',
    cut,
  );
}

export function compactCommand(exit: Exit): Command {
  return upkeepCommand(
    'compact',
    'takes the records of a topic that a later one of the same key replaces',
    exit,
  )
    .option(
      '--before <cut>',
      'position, time, or offset: only records before it (default: the end of the log)',
      cut,
    )
    .option(
      '--keep-tombstones-for <hours>',
      'tombstones that were appended before may go, with the next compaction (default: 24)',
      wholeNumber,
    );
}

function upkeepCommand(kind: 'trim' | 'compact', description: string, exit: Exit): Command {
  return dataCommand(kind, description)
    .argument('<topic>', 'topic')
    .option('--partition <n>', 'the partition that an offset counts in (default: 0)', wholeNumber)
    .option('--yes', 'do it: without it, only what would go is shown')
    .option(
      '--accept-incomplete-rebuilds',
      'views that read the topic may lose what they need to be rebuilt exactly',
    )
    .action(async (topic: string, options: UpkeepOptions) => {
      const code = await withServer(options, ({ client }) => perform(client, { kind, topic, options }));
      exit(code);
    });
}

async function perform(
  client: ApiClient,
  order: { kind: 'trim' | 'compact'; topic: string; options: UpkeepOptions },
): Promise<number> {
  const { kind, topic, options } = order;
  const { position } = await client.json<LogDocument>('GET', '/log');
  const before = options.before ?? { position };
  const now = systemClock.now();
  const body = {
    topic,
    before: 'offset' in before ? { ...before, partition: options.partition ?? 0 } : before,
    by: userName(),
    acceptIncompleteRebuilds: options.acceptIncompleteRebuilds ?? false,
    ...(kind === 'trim'
      ? {}
      : { tombstonesBefore: new Date(now - (options.keepTombstonesFor ?? 24) * HOUR).toISOString() }),
  };
  const send = (more: object) =>
    client.text('POST', `/log/${kind}`, { body: JSON.stringify({ ...body, ...more }) });
  if (!options.yes) {
    const json = await send({ dryRun: true });
    terminal.line(options.json ? json : previewText(kind, topic, JSON.parse(json) as Preview));
    terminal.error('nothing was done: add --yes to do it');
    return 0;
  }
  const json = await send({});
  const { act, records, incomplete } = JSON.parse(json) as Preview & { readonly act: ActDocument };
  await reclaimed(client);
  terminal.line(options.json ? json : doneText(kind, topic, { before: act.before, records, incomplete }));
  return 0;
}

/** Waits until the room is free. */
async function reclaimed(client: ApiClient): Promise<void> {
  const progress = progressLine(process.stderr);
  for (;;) {
    const { upkeep } = await client.json<LogDocument>('GET', '/log');
    if (upkeep === null) break;
    progress.show(`freeing room in ${upkeep.topic}`, upkeep.fraction);
    await pause(LOOK_EVERY);
  }
  progress.end();
}

function previewText(kind: string, topic: string, { before, records, incomplete }: Preview): string {
  const what = kind === 'trim' ? 'would go' : 'would be looked at, those that a later one replaces would go';
  return [`${counted(records, 'record')} of ${topic} before ${before} ${what}`, ...lost(incomplete)].join(
    '\n',
  );
}

function doneText(kind: string, topic: string, { before, records, incomplete }: Preview): string {
  const done =
    kind === 'trim'
      ? `${counted(records, 'record')} of ${topic} before ${before} are gone`
      : `${topic} keeps the last record of each key before ${before}`;
  return [done, ...lost(incomplete)].join('\n');
}

function lost(views: readonly string[]): string[] {
  return views.length === 0 ? [] : [`can no longer be rebuilt exactly: ${views.join(', ')}`];
}

/** An offset is a number, a time begins with a year and a dash; anything else is a position. */
function cut(text: string): Cut {
  if (/^\d+$/.test(text)) return { offset: wholeNumber(text) };
  if (/^\d{4}-/.test(text)) return { time: text };
  if (text === '') throw new InvalidArgumentError('A position, a time or an offset is expected.');
  return { position: text };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'command line'; // a user without a name
  }
}
