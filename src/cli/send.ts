import type { Command } from 'commander';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit, wholeNumber } from './options.ts';

interface SendOptions extends CommonOptions {
  readonly id?: string;
  readonly expectedVersion?: number;
}

export function sendCommand(exit: Exit): Command {
  return dataCommand('send', 'sends a command to an invoice and shows its result')
    .argument('<invoice>', 'invoice id')
    .argument('<type>', 'command type, as CreateInvoice')
    .argument('[data]', 'JSON of the command', '{}')
    .option('--id <id>', 'command id: sending it again gives the first result')
    .option('--expected-version <n>', 'refuse unless the invoice has this version', wholeNumber)
    .action(async (invoice: string, type: string, data: string, options: SendOptions) => {
      // the data goes out as it was written, so that no amount passes a float
      const envelope = [
        `"type":${JSON.stringify(type)}`,
        ...(options.id === undefined ? [] : [`"commandId":${JSON.stringify(options.id)}`]),
        ...(options.expectedVersion === undefined ? [] : [`"expectedVersion":${options.expectedVersion}`]),
        `"data":${data}`,
      ];
      await withServer(options, async client => {
        const path = `/invoices/${encodeURIComponent(invoice)}/commands`;
        terminal.line(await client.text('POST', path, `{${envelope.join(',')}}`));
      });
      exit(0);
    });
}
