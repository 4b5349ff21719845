import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { EventStream } from './event-stream.ts';
import type { HttpContext } from './http-context.ts';
import { PROBLEM, query, text } from './route-schema.ts';
import { SocketStream } from './socket-stream.ts';
import {
  checkResumable,
  subscribeUpdates,
  type Update,
  type UpdateInterest,
  type UpdateSubscription,
} from './update-feed.ts';

/** messages of a client are not read: none needs to be long */
export const MAX_MESSAGE = 1024;

const PARAMS = {
  origin: text('results of commands that were sent with this origin'),
  invoice: text('events of this invoice; `*`: of all invoices'),
  after: text('begin behind this position (or: header Last-Event-ID); without it, behind the end of the log'),
};

const DESCRIPTION =
  'Results of commands and events of invoices, pushed in the order of the log, as WebSocket messages (where the ' +
  'connection is upgraded) or server-sent events. Without parameters everything; `origin` and `invoice` narrow it: ' +
  'results of the one, events of the other. Each is JSON with `type` and `position`: `open` (where it begins), ' +
  '`event` {entity, entityId, commandId, origin, event}, `result` {result}, `dropped` (the client reads too slowly; ' +
  'it may come back with `after`).';

/** What commands do, as it happens. */
export function updateRoutes(app: FastifyInstance, context: HttpContext): void {
  app.route({
    method: 'GET',
    url: '/updates',
    exposeHeadRoute: false,
    schema: {
      summary: 'Results of commands and events of invoices, as they happen',
      description: DESCRIPTION,
      tags: ['invoices'],
      querystring: query(PARAMS),
      response: {
        '101': { description: 'messages (WebSocket)' },
        '200': { description: 'events', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        default: PROBLEM,
      },
    },
    // refusals must come before a connection is upgraded
    preHandler: async request => {
      asked(context, request);
      context.subscriptions.check();
    },
    handler: (request, reply) => {
      follow(context, request, position => {
        const stream = new EventStream(reply, {
          subscriptions: context.subscriptions,
          backlog: context.limits.backlog,
          sent: position.sent,
          reached: position.reached,
        });
        return {
          send: batch => stream.send(events(context, batch)),
          sendOwed: batch => stream.sendOwed(events(context, batch)),
          onClose: listener => stream.onClose(listener),
        };
      });
    },
    wsHandler: (socket: WebSocket, request) => {
      follow(context, request, position => {
        const stream = new SocketStream(socket, {
          subscriptions: context.subscriptions,
          backlog: context.limits.backlog,
          sent: position.sent,
        });
        return {
          send: batch => stream.send(batch.updates.map(u => u.json)),
          sendOwed: batch => stream.sendOwed(batch.updates.map(u => u.json)),
          onClose: listener => stream.onClose(listener),
        };
      });
    },
  });
}

interface Batch {
  readonly updates: readonly Update[];
  readonly position: number;
}

/** The connection of one subscriber. */
interface Sink {
  send(batch: Batch): void;
  sendOwed(batch: Batch): void;
  onClose(listener: () => void): void;
}

interface Reached {
  readonly sent: () => string;
  readonly reached: () => string;
}

/** Tells the client where it begins, what it has missed, then everything as it happens. */
function follow(context: HttpContext, request: FastifyRequest, connect: (position: Reached) => Sink): void {
  const { interest, from } = asked(context, request);
  const missed: Batch[] = [];
  let tell = (batch: Batch): void => {
    missed.push(batch);
  };
  const subscription = subscribeUpdates(context, interest, from, (updates, position) =>
    tell({ updates, position }),
  );
  const begin = from ?? subscription.position();
  let sent = begin;
  const sink = connected(subscription, () =>
    connect({
      sent: () => context.token(sent),
      reached: () => context.token(Math.max(sent, subscription.position())),
    }),
  );
  const open = JSON.stringify({ type: 'open', position: context.token(begin) });
  sink.sendOwed({ updates: [{ type: 'open', json: open }], position: begin });
  for (const batch of missed) sink.sendOwed(batch);
  sent = subscription.position();
  tell = batch => {
    sink.send(batch);
    sent = batch.position;
  };
}

/** The subscription ends with its connection, and when there comes to be none. */
function connected(subscription: UpdateSubscription, connect: () => Sink): Sink {
  try {
    const sink = connect();
    sink.onClose(() => subscription.close());
    return sink;
  } catch (error) {
    subscription.close();
    throw error;
  }
}

/** Only the last event of a command carries its position: one who has read less resumes before the command. */
function events(context: HttpContext, { updates, position }: Batch) {
  return updates.map(({ type, json }, i) => ({
    event: type,
    data: json,
    id: i === updates.length - 1 ? context.token(position) : undefined,
  }));
}

function asked(
  context: HttpContext,
  request: FastifyRequest,
): { interest: UpdateInterest; from: number | null } {
  const params = context.params(request);
  const after = String(request.headers['last-event-id'] ?? '') || params.text('after');
  const from = after === null ? null : context.sequence(after);
  if (from !== null) checkResumable(context, from);
  return { interest: { origin: params.text('origin'), invoice: params.text('invoice') }, from };
}
