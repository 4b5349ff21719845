import { fastify } from 'fastify';
import { answering } from './served.ts';

/**
 * What Fastify alone does of the same: takes a command, checks its body by a schema, answers a result of the same size;
 * gives prepared bytes to a GET. Nothing is kept.
 */

const app = fastify({ logger: false, forceCloseConnections: true });

const text = { type: 'string' } as const;
const COMMAND = {
  type: 'object',
  required: ['type'],
  properties: {
    type: text,
    commandId: text,
    expectedVersion: { type: 'integer' },
    origin: text,
    data: {
      type: 'object',
      properties: {
        customer_id: text,
        customer_name: text,
        customer_email: text,
        currency: text,
        due_date: text,
        line_items: { type: 'array', items: { type: 'object' } },
      },
    },
  },
} as const;

interface Body {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

let positions = 0;

app.post<{ Body: Body; Params: { id: string } }>(
  '/invoices/:id/commands',
  { schema: { body: COMMAND } },
  async request => {
    const { type, data } = request.body;
    const at = Date.now();
    const entityId = request.params.id;
    const event = {
      ...data,
      type: 'InvoiceCreated',
      schema_version: 2,
      invoice_id: entityId,
      version: 1,
      at,
    };
    return {
      commandId: crypto.randomUUID(),
      type,
      entity: 'invoice',
      entityId,
      origin: null,
      status: 'accepted',
      error: null,
      events: [event],
      version: 1,
      at,
      position: (++positions).toString(36),
    };
  },
);

const prepared = new Map<string, string>();

app.get<{ Params: { '*': string } }>('/bytes/*', async (request, reply) =>
  reply.type('application/json; charset=utf-8').send(prepared.get(request.params['*'])),
);

await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();

answering(
  { port: typeof address === 'object' && address !== null ? address.port : 0 },
  {
    /** the bytes that /bytes/<name> gives */
    prepare(entries: unknown) {
      for (const [name, bytes] of entries as [string, string][]) prepared.set(name, bytes);
    },
  },
  () => app.close(),
);
