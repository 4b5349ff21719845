import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import { AccessGuard } from './access.ts';
import { commandRoutes } from './commands.ts';
import { finishAnswers } from './entity-tag.ts';
import { HttpContext } from './http-context.ts';
import { invoiceRoutes } from './invoices.ts';
import { logBackupRoutes } from './log-backup.ts';
import { logUpkeepRoutes } from './log-upkeep.ts';
import { metricRoutes } from './metrics.ts';
import { openApiRoutes } from './openapi.ts';
import { plainCommands } from './plain-commands.ts';
import { plainRequests } from './plain-requests.ts';
import type { HttpOptions, HttpPorts } from './ports.ts';
import { PROBLEM_TYPE, problemOf } from './problem.ts';
import { queryRoutes } from './query.ts';
import { RouteTable } from './route-table.ts';
import { rowReads } from './row-reads.ts';
import { sinkRoutes } from './sinks.ts';
import { statusRoutes } from './status.ts';
import { Subscriptions } from './subscriptions.ts';
import { topicRoutes } from './topics.ts';
import { topologyRoutes } from './topology.ts';
import { MAX_MESSAGE, updateRoutes } from './updates.ts';
import { viewBuildRoutes } from './view-builds.ts';
import { viewChangeRoutes } from './view-changes.ts';
import { viewRoutes } from './views.ts';

const MAX_PARAM = 8192;
/** ms for a request to arrive: a client that trickles holds no socket for ever */
const REQUEST_TIMEOUT = 60_000;
const OPEN_ROUTES: ReadonlySet<string> = new Set(['/healthz']);

/**
 * The HTTP side, not yet listening. Throws `config_invalid` when it would listen beyond loopback without a token.
 * Route schemas are documentation (and the source of the OpenAPI document); requests are checked by the routes.
 */
export async function createHttpServer(ports: HttpPorts, options: HttpOptions): Promise<FastifyInstance> {
  const guard = new AccessGuard(options);
  const context = new HttpContext(ports, options.limits, new Subscriptions(options.limits.subscriptions));
  const report = (error: unknown): string => {
    const id = randomUUID();
    ports.onError(error, id);
    return id;
  };
  const sendProblem = (reply: FastifyReply, error: unknown): FastifyReply => {
    const { status, headers, body } = problemOf(catalogued(error), report);
    return reply.code(status).headers(headers).type(PROBLEM_TYPE).serializer(JSON.stringify).send(body);
  };

  const app = fastify({
    logger: false,
    bodyLimit: options.limits.body,
    requestTimeout: REQUEST_TIMEOUT,
    routerOptions: { maxParamLength: MAX_PARAM, ignoreTrailingSlash: false },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: refuseUnreadable,
    frameworkErrors: (error, _request, reply) => sendProblem(reply as FastifyReply, error),
  });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => data => JSON.stringify(data));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const table = new RouteTable();
  app.addHook('onRoute', route => table.add(route));
  // before the guard: it marks upgrades, so that refused ones are let go
  await app.register(websocket, { options: { maxPayload: MAX_MESSAGE } });
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff');
    try {
      guard.check(request.headers, OPEN_ROUTES.has(request.routeOptions.url ?? ''));
      context.checkOpen();
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  });
  finishAnswers(app);
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, error));
  app.setNotFoundHandler((request, reply) => {
    const path = (request.raw.url ?? '').split('?', 1)[0] ?? '';
    const allowed = table.methods(path);
    if (allowed.length === 0) {
      throw new MillraceError('not_found', `there is nothing at ${path.slice(0, 200)}`, {
        hint: 'GET /openapi.json tells what there is',
      });
    }
    reply.header('allow', allowed.join(', '));
    throw new MillraceError('method_not_allowed', `${request.method} is not possible here`, {
      hint: `possible: ${allowed.join(', ')}`,
    });
  });

  viewRoutes(app, context);
  viewChangeRoutes(app, context);
  viewBuildRoutes(app, context);
  invoiceRoutes(app, context);
  commandRoutes(app, context);
  topicRoutes(app, context);
  logUpkeepRoutes(app, context);
  logBackupRoutes(app, context);
  updateRoutes(app, context);
  queryRoutes(app, context);
  sinkRoutes(app, context);
  statusRoutes(app, context);
  topologyRoutes(app, context);
  const observe = metricRoutes(app, context);
  openApiRoutes(app, context, table, Boolean(options.token));

  app.addHook('preClose', async () => {
    context.close();
  });
  await app.ready();
  plainRequests(app, [rowReads(context, guard), plainCommands(context, guard, report)], observe);
  return app;
}

/** Bytes that are no HTTP request. */
function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = problemOf(
    new MillraceError('request_invalid', 'this is no HTTP request that can be read'),
    () => '',
  );
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\nconnection: close\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

/** What the framework throws, in our words. */
function catalogued(error: unknown): unknown {
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === undefined || !code.startsWith('FST_')) return error;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new MillraceError('body_too_large', 'the body is too large', { hint: 'send less at once' });
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new MillraceError('media_type_unsupported', 'the type of the body is unreadable');
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new MillraceError('request_invalid', 'the request is malformed', {
      hint: 'look at its path, its headers and the length of its body',
    });
  }
  return error;
}
