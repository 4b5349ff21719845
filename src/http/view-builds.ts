import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import { memoryByView, NO_STATE, soon } from '../deploy/view-memory.ts';
import type { HttpContext } from './http-context.ts';
import { answers, type JsonSchema, query, text } from './route-schema.ts';
import { statusDocument } from './views.ts';

const NAME = { name: text('name of the view, in any case') };
const STATUS: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    state: { type: 'string', enum: ['building', 'live', 'failed', 'paused'] },
    serving: { type: 'boolean', description: 'whether a version answers, be it the last good one' },
    paused: { type: 'string', description: 'why the view is paused: `memory budget`' },
    position: { type: ['string', 'null'], description: 'of the served rows' },
    since: {
      type: 'object',
      description:
        'only when records it reads had been taken from the log before it was built: its history begins at this `position` and `time`',
    },
    build: {
      type: ['object', 'null'],
      description: 'sequence numbers `from`, `position`, `target`; `fraction` 0 to 1; `remaining` ms or null',
    },
    memory: {
      type: ['object', 'null'],
      description: 'operator state: `rows` and `bytes`, and both for each of the `operators`',
    },
    errors: { type: 'array', items: { type: 'string' } },
    notices: { type: 'array', items: { type: 'string' } },
  },
};

/** How a view stands, and its rebuilding. */
export function viewBuildRoutes(app: FastifyInstance, context: HttpContext): void {
  const { views } = context.ports;
  const nameOf = (request: { readonly params: unknown }) => (request.params as { name: string }).name;

  app.get(
    '/views/:name/status',
    {
      schema: {
        summary: 'State, build and errors of a view',
        tags: ['views'],
        params: query(NAME),
        querystring: query({}),
        response: answers('the status', STATUS),
      },
    },
    async (request, reply) => {
      context.params(request);
      const sizes = await soon(context.ports.status.sizes());
      const status = views.status(nameOf(request));
      context.stand(reply, status.position ?? views.position());
      const memory = sizes === null ? null : (memoryByView(sizes).get(status.name) ?? NO_STATE);
      return reply.send({ ...statusDocument(context, status), memory });
    },
  );

  app.post(
    '/views/:name/replay',
    {
      schema: {
        summary: 'Rebuilds a view from history beside the served one, then switches',
        tags: ['views'],
        params: query(NAME),
        querystring: query({}),
        response: answers('begun; the status tells how far it is', STATUS, '202'),
      },
    },
    async (request, reply) => {
      context.params(request);
      const name = nameOf(request);
      const status = await views.replay(name);
      reply.code(202).header('location', `/views/${encodeURIComponent(status.name)}/status`);
      return reply.send(statusDocument(context, status));
    },
  );

  app.delete(
    '/views/:name/replay',
    {
      schema: {
        summary: 'Cancels a running rebuild',
        tags: ['views'],
        params: query(NAME),
        querystring: query({}),
        response: answers('cancelled', STATUS),
      },
    },
    async (request, reply) => {
      context.params(request);
      const name = nameOf(request);
      if (!(await views.cancelReplay(name))) {
        throw new MillraceError('not_found', `view "${views.status(name).name}" is not being rebuilt`);
      }
      return reply.send(statusDocument(context, views.status(name)));
    },
  );
}
