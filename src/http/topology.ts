import type { FastifyInstance } from 'fastify';
import type { HttpContext } from './http-context.ts';
import { answers, type JsonSchema, query } from './route-schema.ts';

const TOPOLOGY: JsonSchema = {
  type: 'object',
  properties: {
    position: { type: 'string' },
    nodes: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          id: { type: 'string', description: 'kind and name: `view totals`' },
          kind: { type: 'string', enum: ['kafka', 'topic', 'handler', 'view', 'reaction', 'sink', 'output'] },
          name: { type: 'string' },
          state: { type: ['string', 'null'] },
        },
      },
    },
    edges: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          from: { type: 'string' },
          to: { type: 'string' },
          lag: { type: ['integer', 'null'], description: 'records that `to` has not seen yet' },
          rate: {
            type: ['number', 'null'],
            description: 'records or changes of rows in a second, over the last minute',
          },
        },
      },
    },
  },
};

/** Who reads and writes what, with lag and rate of every edge. */
export function topologyRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get(
    '/topology',
    {
      schema: {
        summary: 'Topics, handlers, views, reactions, sinks and outputs, with lag and rate of every edge',
        tags: ['operation'],
        querystring: query({}),
        response: answers('the topology', TOPOLOGY),
      },
    },
    async (request, reply) => {
      context.params(request);
      const position = context.stand(reply, context.ports.views.position());
      return reply.send({ position, ...context.ports.status.topology() });
    },
  );
}
