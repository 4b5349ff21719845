import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeRequest } from '../commands/command-request.ts';
import type { AccessGuard } from './access.ts';
import { refusalProblem, resultDocument } from './command-answers.ts';
import { type HttpContext, POSITION_HEADER } from './http-context.ts';
import { type PlainHandler, sendText } from './plain-requests.ts';
import { PROBLEM_TYPE, type Problem, problemOf } from './problem.ts';

/** `/invoices/<id>/commands` of characters that stand for themselves, and no parameters */
const PLAIN = /^\/invoices\/([\w.~:@-]{1,100})\/commands$/;
export const COMMANDS_ROUTE = '/invoices/:id/commands';
const JSON_TYPE = ['content-type', 'application/json; charset=utf-8'];

/** The write that comes most: a command as JSON of a stated length, whose sender waits for the result. */
export function plainCommands(
  context: HttpContext,
  guard: AccessGuard,
  report: (error: unknown) => string,
): PlainHandler {
  return (request, response) => {
    const id = commandTarget(request, context.limits.body);
    if (id === null) return null;
    try {
      guard.check(request.headers, false);
      context.checkOpen();
    } catch {
      return null;
    }
    return { route: COMMANDS_ROUTE, status: answer(context, { id, request, response, report }) };
  };
}

/** The invoice that a plain command is for. */
function commandTarget({ method, url, headers }: IncomingMessage, maxLength: number): string | null {
  if (method !== 'POST' || url === undefined) return null;
  const id = PLAIN.exec(url)?.[1] ?? null;
  const length = Number(headers['content-length'] ?? Number.NaN);
  const plain =
    headers['content-type'] === 'application/json' &&
    length <= maxLength &&
    headers['transfer-encoding'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers.prefer === undefined &&
    headers['idempotency-key'] === undefined &&
    headers.upgrade === undefined;
  return plain ? id : null;
}

async function answer(
  context: HttpContext,
  {
    id,
    request,
    response,
    report,
  }: {
    readonly id: string;
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly report: (error: unknown) => string;
  },
): Promise<number | null> {
  const body = await bodyOf(request);
  if (body === null) return null;
  try {
    const result = await context.ports.commands.submit(decodeRequest(body, id));
    const stand = [POSITION_HEADER, context.token(result.position)];
    if (result.status === 'rejected') return sendProblem(response, refusalProblem(context, result), stand);
    const text = `${JSON.stringify(resultDocument(context, result))}\n`;
    return sendText(response, 200, [...stand, ...JSON_TYPE], text);
  } catch (error) {
    return sendProblem(response, problemOf(error, report), []);
  }
}

function sendProblem(
  response: ServerResponse,
  { status, headers, body }: Problem,
  stand: readonly string[],
): number {
  const all = [...stand, ...Object.entries(headers).flat(), 'content-type', PROBLEM_TYPE];
  return sendText(response, status, all, `${JSON.stringify(body)}\n`);
}

/** The whole body; null when the sender goes away. */
function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
  return new Promise(resolve => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.once('end', () => {
      resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks));
    });
    request.once('close', () => resolve(null));
    request.once('error', () => resolve(null));
  });
}
