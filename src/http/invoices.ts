import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type CommandRequest, decodeRequest } from '../commands/command-request.ts';
import { invoiceAt, invoiceEvents } from '../invoice/invoice-history.ts';
import { bodyBytes, bodyKind } from './body.ts';
import { RESULT, refusalProblem, resultDocument } from './command-answers.ts';
import { isKnown } from './entity-tag.ts';
import type { HttpContext } from './http-context.ts';
import { PROBLEM_TYPE } from './problem.ts';
import { invalid } from './query-params.ts';
import { answers, type JsonSchema, PROBLEM, query, text, whole } from './route-schema.ts';

/** events of one page of an audit trail */
const MAX_EVENTS = 1000;

const ID = { id: text('id of the invoice: 1 to 100 visible ASCII characters') };

function commandSchema(
  types: readonly { readonly type: string; readonly description: string }[],
): JsonSchema {
  return {
    description: types.map(t => `- \`${t.type}\`: ${t.description}`).join('\n'),
    type: 'object',
    required: ['type'],
    properties: {
      type: { type: 'string', enum: types.map(t => t.type) },
      commandId: text(
        'chosen by the sender: sending it again gives the first result (or: header Idempotency-Key)',
      ),
      expectedVersion: whole(
        'refuse with `version_conflict` unless the invoice has this version; 0: it must be new',
      ),
      origin: text('results are pushed to those who listen for this origin'),
      data: {
        type: 'object',
        description: 'fields of the command; money as JSON number or string, read exactly',
      },
    },
  };
}

/** Commands on invoices, and their history. */
export function invoiceRoutes(app: FastifyInstance, context: HttpContext): void {
  const { log, commands } = context.ports;

  app.post(
    '/invoices/:id/commands',
    {
      schema: {
        summary: 'Sends a command to an invoice',
        description:
          'Answers with the result, refusals as problems (409 `version_conflict`, else 422). With the header ' +
          '`Prefer: respond-async` answers 202 and where the result will be found. Pass `position` as `after` to ' +
          'read views that have seen the command.',
        tags: ['invoices'],
        params: query(ID),
        querystring: query({}),
        body: commandSchema(commands.types),
        response: {
          ...answers('the result of an accepted command', RESULT),
          '202': { description: 'taken; the result will be found at the Location' },
          '409': PROBLEM,
          '422': PROBLEM,
        },
      },
    },
    async (request, reply) => {
      context.params(request);
      bodyKind(request, false);
      const { id } = request.params as { id: string };
      const command = withKey(decodeRequest(bodyBytes(request), id), request);
      if (wantsAsync(request)) {
        const { commandId } = await commands.enqueue(command);
        const location = `/commands/${encodeURIComponent(commandId)}`;
        reply.code(202).header('location', location).header('preference-applied', 'respond-async');
        return reply.send({ commandId, status: 'pending', result: location });
      }
      const result = await commands.submit(command);
      context.stand(reply, result.position);
      if (result.status === 'accepted') return reply.send(resultDocument(context, result));
      const { status, headers, body } = refusalProblem(context, result);
      return reply.code(status).headers(headers).type(PROBLEM_TYPE).send(body);
    },
  );

  app.get(
    '/invoices/:id',
    {
      schema: {
        summary: 'An invoice: now, at a version, or at a time',
        tags: ['invoices'],
        params: query(ID),
        querystring: query({
          version: whole('the state after this version', { minimum: 1 }),
          at: text('the state after all that was accepted until then (ISO or ms)'),
        }),
        response: answers('the invoice, money as text', { type: 'object' }),
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: string };
      const params = context.params(request);
      const version = params.whole('version', { min: 1 }) ?? undefined;
      const at = params.time('at') ?? undefined;
      if (version !== undefined && at !== undefined) throw invalid('give `version` or `at`, not both');
      const position = context.stand(reply, log.end());
      const invoice = invoiceAt(log, id, { version, at });
      if (isKnown(request, reply, `W/"${invoice.version}"`)) return reply.code(304).send();
      return reply.send({ ...invoice, position });
    },
  );

  app.get(
    '/invoices/:id/events',
    {
      schema: {
        summary: 'The audit trail of an invoice',
        tags: ['invoices'],
        params: query(ID),
        querystring: query({
          from: text('a position: the events behind it; `next` of the page before'),
          limit: whole(`events at most (default and at most ${MAX_EVENTS})`, { minimum: 1 }),
        }),
        response: answers('events in order, and `next` when there are more', { type: 'object' }),
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: string };
      const params = context.params(request);
      const limit = params.whole('limit', { min: 1, max: MAX_EVENTS }) ?? MAX_EVENTS;
      const token = params.text('from');
      const from = token === null ? 0 : context.sequence(token);
      const position = context.stand(reply, log.end());
      const found = invoiceEvents(log, id, { from, limit: limit + 1 });
      const events = found.slice(0, limit).map(({ seq, appendTime, event }) => ({
        position: context.token(seq + 1),
        appended_at: new Date(appendTime).toISOString(),
        event,
      }));
      const next = found.length > limit ? events.at(-1)?.position : null;
      return reply.send({ invoice: id, position, events, next });
    },
  );
}

/** The command id may stand in the header that HTTP has for it. */
function withKey(command: CommandRequest, request: FastifyRequest): CommandRequest {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return command;
  const commandId = String(key).replace(/^"(.*)"$/, '$1');
  if (!/^[\x21-\x7e]{1,200}$/.test(commandId)) {
    throw invalid('the Idempotency-Key is not 1 to 200 visible ASCII characters');
  }
  if (command.commandId !== undefined && command.commandId !== commandId) {
    throw invalid('the Idempotency-Key and the commandId of the body differ');
  }
  return { ...command, commandId };
}

function wantsAsync(request: FastifyRequest): boolean {
  const prefer = request.headers.prefer;
  const texts = Array.isArray(prefer) ? prefer : [prefer ?? ''];
  return texts.some(t => t.split(',').some(p => p.trim().toLowerCase() === 'respond-async'));
}
