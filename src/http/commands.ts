import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import { RESULT, resultDocument } from './command-answers.ts';
import type { HttpContext } from './http-context.ts';
import { answers, query, text } from './route-schema.ts';

/** Results of commands, asked for later. */
export function commandRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get(
    '/commands/:id',
    {
      schema: {
        summary: 'The result of a command',
        description:
          'A refused command has a result too: `status` is `rejected`. 202 while it waits to be handled.',
        tags: ['invoices'],
        params: query({ id: text('command id') }),
        querystring: query({}),
        response: { ...answers('the result', RESULT), '202': { description: 'taken, not yet handled' } },
      },
    },
    async (request, reply) => {
      context.params(request);
      const { id } = request.params as { id: string };
      const result = context.ports.commands.result(id);
      if (result === null) {
        throw new MillraceError('not_found', `no command "${id.slice(0, 80)}" is known`, {
          hint: 'command ids are kept for a configured time',
        });
      }
      if (result === 'pending') {
        return reply.code(202).header('retry-after', '1').send({ commandId: id, status: 'pending' });
      }
      context.stand(reply, result.position);
      return reply.send(resultDocument(context, result));
    },
  );
}
