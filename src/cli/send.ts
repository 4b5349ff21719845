import type { Command } from 'commander';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit, jsonArgument, wholeNumber } from './options.ts';

interface SendOptions extends CommonOptions {
  readonly id?: string;
  readonly expectedVersion?: number;
}

interface ResultAnswer {
  readonly commandId: string;
  readonly entityId: string;
  readonly version: number | null;
  readonly events: readonly { readonly type?: unknown }[];
  readonly position: string;
}

export function sendCommand(exit: Exit): Command {
  return dataCommand('send', 'sends a command to an invoice and shows its result')
    .argument('<invoice>', 'invoice id')
    .argument('<type>', 'command type, as CreateInvoice')
    .argument('[data]', 'JSON of the command', '{}')
    .option('--id <id>', 'command id: sending it again gives the first result')
    .option('--expected-version <n>', 'refuse unless the invoice has this version', wholeNumber)
    .action(async (invoice: string, type: string, data: string, options: SendOptions) => {
      const envelope = [
        `"type":${JSON.stringify(type)}`,
        ...(options.id === undefined ? [] : [`"commandId":${JSON.stringify(options.id)}`]),
        ...(options.expectedVersion === undefined ? [] : [`"expectedVersion":${options.expectedVersion}`]),
        `"data":${jsonArgument(data, 'the data of the command')}`,
      ];
      await withServer(options, async ({ client }) => {
        const path = `/invoices/${encodeURIComponent(invoice)}/commands`;
        const answer = await client.text('POST', path, { body: `{${envelope.join(',')}}` });
        terminal.line(options.json ? answer : resultText(JSON.parse(answer) as ResultAnswer));
      });
      exit(0);
    });
}

function resultText({ commandId, entityId, version, events, position }: ResultAnswer): string {
  const happened = events.map(e => String(e.type)).join(', ') || 'nothing had to happen';
  return `${entityId} is at version ${version}: ${happened}\n  command ${commandId}, position ${position}`;
}
