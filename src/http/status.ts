import type { FastifyInstance } from 'fastify';
import type { HttpContext } from './http-context.ts';
import { answers, query } from './route-schema.ts';

/** How the server stands. */
export function statusRoutes(app: FastifyInstance, context: HttpContext): void {
  const { status, views } = context.ports;

  app.get(
    '/',
    {
      schema: {
        summary: 'Where to go from here',
        tags: ['operation'],
        querystring: query({}),
        response: answers('paths', { type: 'object' }),
      },
    },
    async (request, reply) => {
      context.params(request);
      return reply.send({
        name: 'millrace',
        documentation: '/openapi.json',
        views: '/views',
        topics: '/topics',
        updates: '/updates',
        sinks: '/sinks',
        status: '/status',
        topology: '/topology',
        metrics: '/metrics',
      });
    },
  );

  app.get(
    '/status',
    {
      schema: {
        summary: 'Log, views with their builds and errors, reactions, sinks',
        tags: ['operation'],
        querystring: query({}),
        response: answers('the status', { type: 'object' }),
      },
    },
    async (request, reply) => {
      context.params(request);
      context.stand(reply, views.position());
      return reply.send(await status.status());
    },
  );

  app.get(
    '/healthz',
    {
      schema: {
        summary: 'Whether the process answers; needs no token',
        tags: ['operation'],
        querystring: query({}),
        response: answers('it does', { type: 'object' }),
      },
    },
    async (_, reply) => reply.send({ status: 'ok' }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        summary: 'Whether requests meet fresh rows',
        tags: ['operation'],
        querystring: query({}),
        response: {
          ...answers('they do', { type: 'object' }),
          '503': { description: 'they do not, and why' },
        },
      },
    },
    async (_, reply) => {
      const reason = status.notReady();
      if (reason === null) return reply.send({ status: 'ready' });
      return reply.code(503).header('retry-after', '1').send({ status: 'not ready', reason });
    },
  );

  app.get(
    '/ledger',
    {
      schema: {
        summary: 'What did not reach a view, counted by view, reason and hour',
        tags: ['operation'],
        querystring: query({}),
        response: answers('the counts', { type: 'object' }),
      },
    },
    async (request, reply) => {
      context.params(request);
      const position = context.stand(reply, views.position());
      const counts = status.ledger().map(c => ({ ...c, hour: new Date(c.hour).toISOString() }));
      return reply.send({ position, counts });
    },
  );
}
