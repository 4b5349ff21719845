import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Column } from '../core/schema.ts';
import type { AccessGuard } from './access.ts';
import { type HttpContext, POSITION_HEADER } from './http-context.ts';
import { type PlainHandler, sendText } from './plain-requests.ts';
import type { RowStyle } from './row-format.ts';
import { rowDocument, viewTag } from './views.ts';

/** `/views/<name>/<key>` of characters that stand for themselves, and no parameters */
const PLAIN = /^\/views\/[\w.-]+(?:\/[\w.~:@-]+)+$/;
/** what stands in the place of a key and is none */
const ROUTES: ReadonlySet<string> = new Set(['changes', 'status', 'replay']);
const STYLE: RowStyle = { format: 'json', numbers: 'string' };
const ROUTE = '/views/:name/*';
const NO_BYTES = 0;
const ALWAYS = ['cache-control', 'no-cache', 'content-type', 'application/json; charset=utf-8'];

/** The read that comes most: one row by its key, as JSON. */
export function rowReads(context: HttpContext, guard: AccessGuard): PlainHandler {
  return (request, response) =>
    answered(context, guard, request, response) ? { route: ROUTE, status: 200 } : null;
}

function answered(
  context: HttpContext,
  guard: AccessGuard,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method, url, headers } = request;
  if (method !== 'GET' || url === undefined || !PLAIN.test(url) || !isPlain(headers)) return false;
  try {
    guard.check(headers, false);
    context.checkOpen();
    const [name = '', ...parts] = url.slice('/views/'.length).split('/');
    const view = context.ports.views.open(name);
    if (view.paused != null || parts.length !== view.key.length) return false;
    if (parts.length === 1 && ROUTES.has(parts[0] as string)) return false;
    const key = parts.map((part, i) =>
      context.ports.text.parse(view.columns[view.key[i] as number] as Column, part),
    );
    const found = view.get(key);
    if (found === null) return false;
    const body = `${rowDocument(context, view, STYLE, found.row)}\n`;
    const position = context.token(view.position);
    const tag = viewTag(context, view, STYLE);
    sendText(response, 200, [POSITION_HEADER, position, 'etag', tag, ...ALWAYS], body);
    return true;
  } catch {
    // the usual way says what is wrong
    return false;
  }
}

function isPlain(headers: IncomingMessage['headers']): boolean {
  const { accept } = headers;
  return (
    (accept === undefined || accept === '*/*' || accept === 'application/json') &&
    headers['if-none-match'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    Number(headers['content-length'] ?? NO_BYTES) === NO_BYTES
  );
}
