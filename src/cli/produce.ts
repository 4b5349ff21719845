import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { MillraceError } from '../core/errors.ts';
import { type ApiClient, ApiProblem } from './api-client.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit, jsonArgument } from './options.ts';
import { counted } from './table.ts';

interface ProduceOptions extends CommonOptions {
  readonly key?: string;
  readonly value?: string;
  readonly timestamp?: string;
  readonly header?: readonly string[];
}

interface Appended {
  readonly records: readonly unknown[];
  readonly position: string;
}

/** What is appended together, at most. */
const BATCH_LINES = 5000;
const BATCH_CHARS = 1024 * 1024;

export function produceCommand(exit: Exit): Command {
  return dataCommand(
    'produce',
    'appends records to a topic: one from the options, or one for each line of standard input',
  )
    .argument('<topic>', 'topic')
    .option('--key <key>', 'key of the one record')
    .option(
      '--value <value>',
      'value of the one record, JSON or text; without it lines of JSON are read: {"key", "value", "timestamp", "headers"}',
    )
    .option('--timestamp <time>', 'event time of the one record: ms since 1970, or 2026-01-31T08:30:00Z')
    .option('--header <name=value...>', 'headers of the one record')
    .action(async (topic: string, options: ProduceOptions) => {
      if (options.value === undefined) refuseUnused(options);
      const path = `/topics/${encodeURIComponent(topic)}/records`;
      await withServer(options, async ({ client }) => {
        const { records, position } =
          options.value === undefined
            ? await appendLines(client, path, process.stdin)
            : await appendOne(client, path, options.value, options);
        terminal.line(
          options.json
            ? JSON.stringify({ topic, records, position })
            : `${counted(records, 'record')} appended to ${topic}${position === null ? '' : `, position ${position}`}`,
        );
      });
      exit(0);
    });
}

function refuseUnused({ key, timestamp, header }: ProduceOptions): void {
  if (key === undefined && timestamp === undefined && header === undefined) return;
  throw new MillraceError('request_invalid', '--key, --timestamp and --header belong to one record', {
    hint: 'add --value, or write them into each line: {"key": "k", "value": {}}',
  });
}

interface Produced {
  readonly records: number;
  readonly position: string | null;
}

async function appendOne(
  client: ApiClient,
  path: string,
  value: string,
  { key, timestamp, header }: ProduceOptions,
): Promise<Produced> {
  const headers = header?.map(text => {
    const at = text.indexOf('=');
    return { name: at < 0 ? text : text.slice(0, at), value: at < 0 ? '' : text.slice(at + 1) };
  });
  const members = [
    ...(key === undefined ? [] : [`"key":${JSON.stringify(key)}`]),
    ...(timestamp === undefined ? [] : [`"timestamp":${JSON.stringify(timestamp)}`]),
    ...(headers === undefined ? [] : [`"headers":${JSON.stringify(headers)}`]),
    `"value":${valueJson(value)}`,
  ];
  const { records, position } = await client.json<Appended>('POST', path, { body: `{${members.join(',')}}` });
  return { records: records.length, position };
}

/** What looks like JSON must be JSON; anything else is text. */
function valueJson(value: string): string {
  const isJson = /^\s*(?:[[{"]|-?\d+(?:\.\d+)?\s*$|(?:true|false|null)\s*$)/.test(value);
  return isJson ? jsonArgument(value, 'the value') : JSON.stringify(value);
}

/** Lines go out in batches; each batch is appended whole or not at all. */
async function appendLines(
  client: ApiClient,
  path: string,
  input: Readable & { isTTY?: boolean },
): Promise<Produced> {
  if (input.isTTY === true) terminal.error('reading lines of JSON; end with Ctrl-D');
  let records = 0;
  let position: string | null = null;
  let batch: string[] = [];
  let chars = 0;
  let first = 1;
  const flush = async (): Promise<void> => {
    const lines = batch;
    batch = [];
    chars = 0;
    if (lines.some(line => line.trim() !== '')) {
      const answer = await client
        .json<Appended>('POST', path, { body: lines.join('\n'), type: 'application/x-ndjson' })
        .catch((error: unknown) => {
          throw first === 1 ? error : inBatch(error, first, records);
        });
      records += answer.records.length;
      position = answer.position;
    }
    first += lines.length;
  };
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    batch.push(line);
    chars += line.length;
    if (batch.length >= BATCH_LINES || chars >= BATCH_CHARS) await flush();
  }
  await flush();
  if (records === 0) {
    throw new MillraceError('request_invalid', 'there was no line on standard input', {
      hint: `pipe lines of JSON in, or give one record with --value '{"a": 1}'`,
    });
  }
  return { records, position };
}

function inBatch(error: unknown, first: number, before: number): unknown {
  if (!(error instanceof ApiProblem)) return error;
  const detail = error.message.replace(/\bline (\d+)\b/, (_, n: string) => `line ${Number(n) + first - 1}`);
  return new ApiProblem(error.status, {
    ...error.problem,
    detail: `${detail} (the ${counted(before, 'record')} before line ${first} are appended)`,
  });
}
