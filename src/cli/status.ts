import type { Command } from 'commander';
import { byteText } from '../core/byte-size.ts';
import type { ViewStatus } from '../deploy/view-access.ts';
import type { ViewMemory } from '../deploy/view-memory.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit } from './options.ts';
import { counted, table } from './table.ts';

interface StatusDocument {
  readonly position: string;
  readonly log: { readonly end: number };
  readonly lag: number;
  readonly memory: { readonly budget: number; readonly state: number | null };
  readonly views: readonly (ViewStatus & { readonly memory: ViewMemory | null })[];
  readonly errors: readonly string[];
  /** not there without a kafka.yaml */
  readonly kafka?: KafkaDocument | undefined;
}

interface KafkaDocument {
  readonly brokers: readonly string[];
  readonly state: 'connecting' | 'following' | 'away';
  readonly awaySince: string | null;
  readonly error: string | null;
  readonly topics: readonly {
    readonly name: string;
    readonly lag: number | null;
    readonly problem: string | null;
    readonly incomplete: readonly {
      readonly partition: number;
      readonly from: number;
      readonly to: number;
      readonly reason: string;
    }[];
  }[];
}

interface StatusOptions extends CommonOptions {
  readonly operators?: boolean;
}

export function statusCommand(exit: Exit): Command {
  return dataCommand('status', 'shows the views, their builds, memory and errors')
    .option('--operators', 'rows and bytes of state of each operator too')
    .action(async (options: StatusOptions) => {
      await withServer(options, async ({ client, temporary }) => {
        if (options.json) {
          terminal.line(await client.text('GET', '/status'));
          return;
        }
        const status = await client.json<StatusDocument>('GET', '/status');
        terminal.line(temporary ? 'no server runs on this folder' : `server ${client.url}`);
        terminal.line(statusText(status));
        if (options.operators) terminal.line(`\n${operatorsText(status)}`);
      });
      exit(0);
    });
}

function statusText({ position, log, lag, memory, views, errors, kafka }: StatusDocument): string {
  const rows = views.map(v => ({
    view: v.name,
    state: v.paused === undefined ? v.state : `paused: ${v.paused}`,
    serving: v.serving ? 'yes' : 'no',
    progress: v.build === null ? '' : `${Math.floor(v.build.fraction * 100)} %`,
    memory: v.memory === null ? '' : byteText(v.memory.bytes),
    reads: v.reads.join(', '),
  }));
  const texts = [
    ...errors,
    ...views.flatMap(v => [...v.errors, ...v.notices.map(notice => `${v.name}: ${notice}`)]),
  ];
  return [
    `${counted(log.end, 'record')} in the log, views ${lag === 0 ? 'up to date' : `${lag} behind`}, position ${position}`,
    `state of the views: ${memory.state === null ? 'not known now' : byteText(memory.state)} of ${byteText(memory.budget)} that it may take (memory.budget)`,
    ...(kafka === undefined ? [] : kafkaLines(kafka)),
    '',
    table(['view', 'state', 'serving', 'progress', 'memory', 'reads'], rows),
    ...texts.map(text => `\n${text}`),
  ].join('\n');
}

function kafkaLines({ brokers, state, awaySince, error, topics }: KafkaDocument): string[] {
  const lag = topics.reduce((sum, t) => sum + (t.lag ?? 0), 0);
  const how =
    state === 'away'
      ? `away since ${awaySince}: ${error}`
      : state === 'connecting'
        ? 'connecting'
        : `${counted(topics.length, 'topic')} copied, ${lag === 0 ? 'up to date' : `${counted(lag, 'record')} behind`}`;
  return [
    `Kafka at ${brokers.join(', ')}: ${how}`,
    ...topics.flatMap(({ name, problem, incomplete }) => [
      ...(problem === null ? [] : [`  ${name} is not copied any further: ${problem}`]),
      ...incomplete.map(
        g =>
          `  ${name} is incomplete: partition ${g.partition}, offsets ${g.from} to ${g.to - 1} (${g.reason})`,
      ),
    ]),
  ];
}

function operatorsText({ views }: StatusDocument): string {
  const rows = views.flatMap(v =>
    (v.memory?.operators ?? []).map(({ operator, rows, bytes }) => ({ view: v.name, operator, rows, bytes })),
  );
  return table(['view', 'operator', 'rows', 'bytes'], rows);
}
