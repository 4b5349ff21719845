import { spawn } from 'node:child_process';
import { join } from 'node:path';

interface LoadShape {
  readonly port: number;
  readonly clients: number;
  readonly seconds: number;
  /** requests a second; without it every client sends as fast as it is answered */
  readonly rate?: number | undefined;
  /**
   * The loader never sleeps: waking it would be work of the server, the more of it the slower the server is. It takes a
   * core of its own.
   */
  readonly awake?: boolean | undefined;
}

/** What the loader is to send. */
export type Load =
  | (LoadShape & {
      readonly kind: 'commands';
      /** of the ids of invoices: each run its own */
      readonly prefix: string;
      /** path to which the position of a command is added, to wait until it is seen there */
      readonly see?: string | undefined;
    })
  | (LoadShape & { readonly kind: 'get'; readonly paths: readonly string[] });

/** Times in ms. */
export interface Loaded {
  readonly perSecond: number;
  readonly requests: number;
  readonly refused: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** cores that the loader itself used */
  readonly loaderCores: number;
}

const CURRENCIES = ['EUR', 'USD', 'GBP', 'PLN'];

/** The n-th CreateInvoice: one line item, one of 1,000 customers. ASCII. */
export function commandBody(n: number): string {
  const customer = (n * 7919) % 1000;
  return (
    `{"type":"CreateInvoice","data":{"customer_id":"c-${customer}","customer_name":"Customer ${customer}",` +
    `"customer_email":"c${customer}@example.org","currency":"${CURRENCIES[n % 4]}","due_date":"2031-01-31",` +
    `"line_items":[{"description":"work","quantity":2,"unit_price":"${(n % 900) + 1}.50","tax_rate":19}]}}`
  );
}

/** Runs a load in a process of its own. */
export function loadFrom(load: Load): Promise<Loaded> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'loader.ts'), JSON.stringify(load)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', chunk => {
      text += chunk;
    });
    child.once('error', reject);
    child.once('close', code => {
      if (code !== 0) reject(new Error(`the loader failed: ${text}`));
      else resolve(JSON.parse(text) as Loaded);
    });
  });
}
