import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { MillraceError } from '../core/errors.ts';
import { isJsonObject, type Json, JsonNumber, type JsonObject, jsonText, parseJson } from '../core/json.ts';
import { type ApiClient, ApiProblem, type ServerEvent } from './api-client.ts';
import { type CommonOptions, type Server, terminal, withServer } from './context.ts';
import { dataCommand, type Exit, wholeNumber } from './options.ts';

interface TailOptions extends CommonOptions {
  readonly from?: string;
  readonly snapshot?: boolean;
  readonly last: number;
  readonly limit?: number;
}

interface TopicDocument {
  readonly ends: readonly number[];
}

const LOOK_EVERY = 300;
const PAGE = 1000;

export function tailCommand(exit: Exit): Command {
  return dataCommand('tail', 'follows the changes of a view, or the records of a topic, until Ctrl-C')
    .argument('<name>', 'view or topic')
    .option('--snapshot', 'of a view: its rows first')
    .option('--from <position>', 'of a view: the changes since this position first')
    .option('--last <n>', 'of a topic: this many of its last records first', wholeNumber, 10)
    .option('--limit <n>', 'stop after this many lines', wholeNumber)
    .action(async (name: string, options: TailOptions) => {
      const lines = new Lines(options);
      if (options.limit !== 0) {
        await withServer(options, async server => {
          const position = await viewPosition(server.client, name);
          if (position !== undefined) await followView(server, name, { ...options, position }, lines);
          else await followTopic(server, name, options, lines);
        });
      }
      exit(0);
    });
}

/** Counts the lines that it prints; `full` when no more are wanted. */
class Lines {
  readonly #json: boolean;
  #left: number;

  constructor({ json, limit }: TailOptions) {
    this.#json = json === true;
    this.#left = limit ?? Number.POSITIVE_INFINITY;
  }

  get full(): boolean {
    return this.#left <= 0;
  }

  /** `json`: the same as JSON text */
  print(text: string, json: string): void {
    if (this.full) return;
    this.#left--;
    terminal.line(this.#json ? json : text);
  }
}

/** Where a view stands: null when nothing is served yet; undefined when there is no such view. */
async function viewPosition(client: ApiClient, name: string): Promise<string | null | undefined> {
  try {
    const path = `/views/${encodeURIComponent(name)}/status`;
    return (await client.json<{ position: string | null }>('GET', path)).position;
  } catch (error) {
    if (error instanceof ApiProblem && error.code === 'unknown_view') return undefined;
    throw error;
  }
}

async function followView(
  { client, temporary }: Server,
  name: string,
  { from, snapshot, position }: TailOptions & { readonly position: string | null },
  lines: Lines,
): Promise<void> {
  if (temporary && from !== undefined) {
    throw new MillraceError(
      'request_invalid',
      'no server runs on this folder: there are no changes to go on with',
      {
        hint: 'leave --from out to see the rows',
      },
    );
  }
  // on a folder without a server nothing changes: its rows are what there is to see
  const rowsFirst = snapshot === true || position === null || temporary;
  const after = from ?? (rowsFirst ? null : position);
  const query = after === null ? '' : `?after=${encodeURIComponent(after)}`;
  for await (const event of client.events(`/views/${encodeURIComponent(name)}/changes${query}`)) {
    const complete = printEvent(event, lines);
    if (lines.full || (complete && temporary)) return;
  }
}

/** Returns whether a snapshot is complete with this event. */
function printEvent({ event, data }: ServerEvent, lines: Lines): boolean {
  const content = JSON.parse(data) as Readonly<Record<string, unknown>>;
  const { position } = content;
  switch (event) {
    case 'snapshot':
      for (const row of content.rows as readonly unknown[]) {
        const text = JSON.stringify(row);
        lines.print(`= ${text}`, JSON.stringify({ op: 'snapshot', row, position }));
      }
      return content.complete === true;
    case 'change':
      lines.print(`${content.op === 'delete' ? '-' : '+'} ${JSON.stringify(content.row)}`, data);
      return false;
    case 'reset':
      lines.print('another version of the view serves; its rows:', '{"op":"reset"}');
      return false;
    case 'dropped':
      throw new MillraceError('overloaded', 'this reader was too slow for the changes', {
        hint: `go on with --from ${String(position)}`,
      });
    case 'problem':
      throw new ApiProblem(Number(content.status), content);
    default:
      return false;
  }
}

async function followTopic(
  { client, temporary }: Server,
  name: string,
  options: TailOptions,
  lines: Lines,
): Promise<void> {
  if (options.from !== undefined || options.snapshot) {
    throw new MillraceError('request_invalid', `"${name}" is a topic: --from and --snapshot are for views`);
  }
  const path = `/topics/${encodeURIComponent(name)}`;
  const { ends } = await client.json<TopicDocument>('GET', path).catch((error: unknown) => {
    throw neither(error, name);
  });
  const next = [...ends];
  const show = async (query: string): Promise<number> => {
    const records = recordsOf(await client.text('GET', `${path}/records?${query}`));
    for (const record of records) {
      const [partition, offset] = [numberOf(record, 'partition'), numberOf(record, 'offset')];
      next[partition] = Math.max(next[partition] ?? 0, offset + 1);
      const text = jsonText(record);
      lines.print(text, text);
    }
    return records.length;
  };
  if (options.last > 0) await show(`limit=${Math.min(options.last, PAGE)}`);
  while (!lines.full && !temporary) {
    let shown = 0;
    for (const [partition, offset] of next.entries()) {
      shown += await show(`partition=${partition}&offset=${offset}&limit=${PAGE}`);
    }
    if (shown === 0) await pause(LOOK_EVERY);
  }
}

/** Records as they stand in the answer: numbers in their values keep every digit. */
function recordsOf(answer: string): readonly JsonObject[] {
  const json = parseJson(answer, { maxSize: Number.MAX_SAFE_INTEGER, maxDepth: 100 });
  const records = isJsonObject(json) ? json.get('records') : undefined;
  return Array.isArray(records) ? (records as readonly Json[]).filter(isJsonObject) : [];
}

function numberOf(record: JsonObject, member: string): number {
  const value = record.get(member);
  return value instanceof JsonNumber ? Number(value.text) : 0;
}

function neither(error: unknown, name: string): unknown {
  if (!(error instanceof ApiProblem) || error.code !== 'unknown_topic') return error;
  return new MillraceError('not_found', `there is no view and no topic "${name}"`, {
    hint: error.hint?.startsWith('did you mean') ? error.hint : '`npx millrace status` lists the views',
  });
}
