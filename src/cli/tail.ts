import type { Command } from 'commander';
import type { ApiClient } from './api-client.ts';
import { ApiProblem } from './api-client.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit, wholeNumber } from './options.ts';

interface TailOptions extends CommonOptions {
  readonly from?: string;
  readonly limit?: number;
}

interface RecordsAnswer {
  readonly records: readonly Readonly<Record<string, unknown>>[];
}

export function tailCommand(exit: Exit): Command {
  return dataCommand('tail', 'follows the changes of a view, or shows the last records of a topic')
    .argument('<name>', 'view or topic')
    .option('--from <position>', 'for a view: resume after this position')
    .option('--limit <n>', 'stop after this many', wholeNumber)
    .action(async (name: string, options: TailOptions) => {
      await withServer(options, async client => {
        if (await isView(client, name)) await followView(client, name, options);
        else await showTopic(client, name, options);
      });
      exit(0);
    });
}

async function isView(client: ApiClient, name: string): Promise<boolean> {
  try {
    await client.request('GET', `/views/${encodeURIComponent(name)}/status`);
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return false;
    throw error;
  }
}

async function followView(client: ApiClient, name: string, options: TailOptions): Promise<void> {
  const from = options.from === undefined ? '' : `?after=${encodeURIComponent(options.from)}`;
  const abort = new AbortController();
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  for await (const { event, id, data } of client.events(
    `/views/${encodeURIComponent(name)}/changes${from}`,
    abort.signal,
  )) {
    terminal.line(options.json ? JSON.stringify({ event, id, data }) : `${event} ${data}`);
    left--;
    if (left <= 0) break;
  }
}

async function showTopic(client: ApiClient, name: string, options: TailOptions): Promise<void> {
  const path = `/topics/${encodeURIComponent(name)}/records?limit=${options.limit ?? 20}`;
  if (options.json) {
    terminal.line(await client.text('GET', path));
    return;
  }
  const { records } = await client.json<RecordsAnswer>('GET', path);
  for (const record of records) terminal.line(JSON.stringify(record));
}
