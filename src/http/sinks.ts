import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import type { SinkStatus } from '../sinks/sink-runner.ts';
import { DEFAULT_WAIT, type HttpContext } from './http-context.ts';
import { answers, type JsonSchema, query, text } from './route-schema.ts';

const STATUS: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    view: { type: 'string' },
    place: { type: 'string', description: 'where the rows are kept' },
    state: {
      type: 'string',
      enum: ['waiting', 'connecting', 'loading', 'running', 'retrying', 'stopped'],
      description: 'waiting: for the first version of the view',
    },
    position: { type: ['string', 'null'], description: 'the rows there are the view at this position' },
    behind: { type: ['integer', 'null'], description: 'records that the rows there are behind the view' },
    loaded: { type: ['integer', 'null'], description: 'rows that a load under way has written' },
    changes: { type: 'integer', description: 'changes written since the start' },
    loads: { type: 'integer', description: 'loads completed since the start' },
    failure: {
      type: ['object', 'null'],
      description: 'why it is tried again: `code`, `message`, `hint`, `attempts`',
    },
    notice: { type: ['string', 'null'] },
  },
};

/** How far the views are that are kept elsewhere. */
export function sinkRoutes(app: FastifyInstance, context: HttpContext): void {
  const { sinks, views } = context.ports;

  app.get(
    '/sinks',
    {
      schema: {
        summary: 'Views that are kept elsewhere, and how far',
        tags: ['sinks'],
        querystring: query({}),
        response: answers('the sinks', {
          type: 'object',
          properties: { sinks: { type: 'array', items: STATUS } },
        }),
      },
    },
    async (request, reply) => {
      context.params(request);
      context.stand(reply, views.position());
      return reply.send({ sinks: sinks.list().map(s => sinkDocument(context, s)) });
    },
  );

  app.get(
    '/sinks/:name',
    {
      schema: {
        summary: 'How far a sink is; with `after`, answers when it has reached a position',
        tags: ['sinks'],
        params: query({ name: text('name of the sink') }),
        querystring: query({
          after: text('a position: answers when the rows there are at least that fresh'),
          wait: text('how long to wait for it, as 500ms or 2s (default 2s)'),
        }),
        response: answers('the status', STATUS),
      },
    },
    async (request, reply) => {
      const params = context.params(request);
      const { name } = request.params as { name: string };
      const after = params.text('after');
      const wait = params.duration('wait', context.limits.wait) ?? DEFAULT_WAIT;
      const seq = after === null ? 0 : context.sequence(after);
      const status = sinks.status(name);
      if (after !== null && !(await context.orClosed(sinks.reaches(name, seq, wait)))) {
        throw behind(context, sinks.status(name), seq);
      }
      const now = after === null ? status : sinks.status(name);
      if (now.position !== null) context.stand(reply, now.position);
      return reply.send(sinkDocument(context, now));
    },
  );
}

function behind(context: HttpContext, status: SinkStatus, asked: number): MillraceError {
  const { name, position, failure } = status;
  const how = position === null ? 'holds no rows yet' : `is ${asked - position} records behind`;
  const why = failure === null ? '' : `: ${failure.message}`;
  return new MillraceError('sink_behind', `sink "${name}" ${how}${why}`, {
    hint: failure?.hint ?? 'ask again in a moment, or wait longer: ?wait=10s',
    data: { sink: sinkDocument(context, status) },
  });
}

/** The status with the position as a token. */
export function sinkDocument(
  context: Pick<HttpContext, 'token'>,
  { position, ...rest }: SinkStatus,
): Record<string, unknown> {
  return { ...rest, position: position === null ? null : context.token(position) };
}
