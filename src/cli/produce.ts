import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit, wholeNumber } from './options.ts';

interface ProduceOptions extends CommonOptions {
  readonly key?: string;
  readonly value?: string;
  readonly timestamp?: number;
}

export function produceCommand(exit: Exit): Command {
  return dataCommand(
    'produce',
    'appends records to a topic: one from the options, or NDJSON lines from standard input',
  )
    .argument('<topic>', 'topic')
    .option('--key <key>', 'key of the one record')
    .option(
      '--value <json>',
      'value of the one record; without it lines {"key", "value", "timestamp"} are read',
    )
    .option('--timestamp <ms>', 'event time of the one record', wholeNumber)
    .action(async (topic: string, options: ProduceOptions) => {
      const path = `/topics/${encodeURIComponent(topic)}/records`;
      await withServer(options, async client => {
        if (options.value === undefined) {
          terminal.line(await client.text('POST', path, await text(process.stdin), 'application/x-ndjson'));
          return;
        }
        const fields = [
          ...(options.key === undefined ? [] : [`"key":${JSON.stringify(options.key)}`]),
          ...(options.timestamp === undefined ? [] : [`"timestamp":${options.timestamp}`]),
          `"value":${options.value}`,
        ];
        terminal.line(await client.text('POST', path, `{${fields.join(',')}}`));
      });
      exit(0);
    });
}
