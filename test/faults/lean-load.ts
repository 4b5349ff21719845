import type { CommandRequest } from '../../src/commands/command-request.ts';
import { parseJson } from '../../src/core/json.ts';
import type { LeanServer } from './lean-server.ts';
import { writeViews } from './lean-server.ts';
import { REPLAYED } from './lean-views.ts';

/** What a load says of itself, one line each; the lines outlive the process. */
export type Said = (line: string) => void;

/** A small generator of numbers in [0, 1); seeds that lie side by side give other numbers from the first on. */
export function numbers(seed: number): () => number {
  let state = Math.imul(seed ^ (seed >>> 15), 0x85eb_ca6b) >>> 0;
  state = Math.imul(state ^ (state >>> 13), 0xc2b2_ae35) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export function requestOf(id: string, entityId: string, type: string, data: unknown): CommandRequest {
  return {
    commandId: id,
    entityId,
    type,
    data: parseJson(Buffer.from(JSON.stringify(data))) as CommandRequest['data'],
  };
}

/** Sends one command and says so before and after. */
export async function sendCommand(
  server: LeanServer,
  said: Said,
  request: readonly [string, string, string, unknown],
) {
  const [id, entityId, type, data] = request;
  said(`s ${JSON.stringify([id, entityId, type, data])}`);
  const result = await server.commands.submit(requestOf(id, entityId, type, data));
  said(`a ${id} ${result.status}:${result.version}`);
}

export interface LoadOptions {
  readonly server: LeanServer;
  readonly dir: string;
  readonly said: Said;
  readonly seed: number;
  /** number of the first invoice and of the first record: nothing is numbered twice in one folder */
  readonly first: number;
  /** commands that had no answer before */
  readonly again: readonly (readonly [string, string, string, unknown])[];
}

/** Commands, records and builds side by side, without end. */
export function runLoad({ server, dir, said, seed, first, again }: LoadOptions): void {
  const random = numbers(seed);
  const pick = (n: number): number => Math.floor(random() * n);
  const loop = (work: () => Promise<void>): void => {
    const next = (): void => {
      work().then(next, error => {
        said(`! ${error instanceof Error ? error.message : String(error)}`);
        setTimeout(next, 20);
      });
    };
    next();
  };

  /** by the clock of the log, whose days are short */
  const today = (): string => new Date(server.log.lastAppendTime()).toISOString().slice(0, 10);

  let invoice = first;
  const resend = [...again];
  for (let sender = 0; sender < 3; sender++) {
    loop(async () => {
      const old = resend.shift();
      if (old !== undefined) return sendCommand(server, said, old);
      const n = invoice++;
      const id = `i-${n}`;
      await sendCommand(server, said, [
        `${id}-create`,
        id,
        'CreateInvoice',
        {
          customer_id: `c-${n % 5}`,
          customer_name: `Customer ${n % 5}`,
          customer_email: `c${n % 5}@example.org`,
          currency: n % 3 === 0 ? 'USD' : 'EUR',
          due_date: n % 2 === 0 ? today() : '2032-02-28',
          line_items: [{ description: 'work', quantity: 1, unit_price: `${1 + pick(900)}.50`, tax_rate: 0 }],
        },
      ]);
      await sendCommand(server, said, [`${id}-send`, id, 'SendInvoice', {}]);
      if (n % 2 === 0)
        await sendCommand(server, said, [`${id}-pay`, id, 'RecordPayment', { amount: '0.75' }]);
    });
  }

  let record = first;
  for (let producer = 0; producer < 2; producer++) {
    loop(async () => {
      const n = record++;
      const card = `card${pick(6)}`;
      const produce = async (topic: string, key: string, value: unknown): Promise<void> => {
        const id = `${topic}-${n}`;
        said(`p ${topic} ${id}`);
        const timestamp = 1_700_000_000_000 + n * 300 - pick(4_000);
        const bytes = Buffer.from(JSON.stringify(value));
        const headers = [{ name: 'id', value: Buffer.from(id) }];
        await server.log.append({
          records: [{ topic, key: Buffer.from(key), value: bytes, timestamp, headers }],
        }).durable;
        said(`q ${topic} ${id}`);
      };
      await produce('attempts', card, { card, amount: `${pick(100)}.25`, padding: 'x'.repeat(200) });
      if (n % 4 === 0) await produce('cards', card, { holder: `holder ${pick(4)}` });
      if (n % 3 === 0) await produce('lines', 'l', { line: `word${pick(9)} word${pick(9)} again` });
    });
  }

  loop(async () => {
    await server.views.settled();
    said('b');
    if (pick(3) === 0) {
      writeViews(dir, pick(4));
      server.views.refresh();
    } else await server.views.replay(REPLAYED[pick(REPLAYED.length)] ?? 'fraud');
    await server.views.settled();
    await new Promise(resolve => setTimeout(resolve, 5));
  });
}
