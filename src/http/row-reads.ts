import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Column } from '../core/schema.ts';
import type { OpenView } from '../deploy/view-access.ts';
import type { AccessGuard } from './access.ts';
import { type HttpContext, POSITION_HEADER } from './http-context.ts';
import { type PlainHandler, sendText } from './plain-requests.ts';
import type { RowStyle } from './row-format.ts';
import { rowHead, viewTag } from './views.ts';

/** `/views/<name>/<key>` of characters that stand for themselves, and no parameters */
const PLAIN = /^\/views\/[\w.-]+(?:\/[\w.~:@-]+)+$/;
/** what stands in the place of a key and is none */
const ROUTES: ReadonlySet<string> = new Set(['changes', 'status', 'replay']);
const STYLE: RowStyle = { format: 'json', numbers: 'string' };
const ROUTE = '/views/:name/*';
const PREFIX = '/views/'.length;
const NO_BYTES = 0;
const ALWAYS = ['cache-control', 'no-cache', 'content-type', 'application/json; charset=utf-8'];

/** texts of rows that are kept per view until one of its rows changes, and characters of one with its path */
const KEPT_ROWS = 1_000;
const LONGEST_KEPT = 4_096;

/** The read that comes most: one row by its key, as JSON. Rows that are read again and again are not written anew. */
export function rowReads(context: HttpContext, guard: AccessGuard): PlainHandler {
  const reads = new RowReads(context, guard);
  return (request, response) => (reads.answered(request, response) ? { route: ROUTE, status: 200 } : null);
}

/** What can be told of a view's rows without looking at them again. */
interface Known {
  readonly edition: number;
  position: number;
  head: string;
  headers: readonly string[];
  /** by the part of the path behind the view's name */
  readonly rows: Map<string, string>;
}

class RowReads {
  readonly #context: HttpContext;
  readonly #guard: AccessGuard;
  readonly #known = new WeakMap<OpenView, Known>();

  constructor(context: HttpContext, guard: AccessGuard) {
    this.#context = context;
    this.#guard = guard;
  }

  answered({ method, url, headers }: IncomingMessage, response: ServerResponse): boolean {
    if (method !== 'GET' || url === undefined || !PLAIN.test(url) || !isPlain(headers)) return false;
    try {
      this.#guard.check(headers, false);
      this.#context.checkOpen();
      const nameEnd = url.indexOf('/', PREFIX);
      const view = this.#context.ports.views.open(url.slice(PREFIX, nameEnd));
      if (view.paused != null) return false;
      const known = this.#knownOf(view);
      const row = this.#row(view, known, url.slice(nameEnd + 1));
      if (row === null) return false;
      sendText(response, 200, known.headers, `${known.head}${row}}\n`);
      return true;
    } catch {
      // the usual way says what is wrong
      return false;
    }
  }

  #knownOf(view: OpenView): Known {
    let known = this.#known.get(view);
    if (known === undefined || known.edition !== view.edition) {
      known = { edition: view.edition, position: -1, head: '', headers: [], rows: new Map() };
      this.#known.set(view, known);
    }
    if (known.position !== view.position) {
      known.position = view.position;
      known.head = rowHead(this.#context, view);
      const tag = viewTag(this.#context, view, STYLE);
      known.headers = [POSITION_HEADER, this.#context.token(view.position), 'etag', tag, ...ALWAYS];
    }
    return known;
  }

  /** The text of a row; null when it takes more to answer. */
  #row(view: OpenView, { rows }: Known, path: string): string | null {
    const kept = rows.get(path);
    if (kept !== undefined) return kept;
    const parts = path.split('/');
    if (parts.length !== view.key.length) return null;
    if (parts.length === 1 && ROUTES.has(path)) return null;
    const key = parts.map((part, i) =>
      this.#context.ports.text.parse(view.columns[view.key[i] as number] as Column, part),
    );
    const found = view.get(key);
    if (found === null) return null;
    const text = this.#context.ports.text.json(view.columns, STYLE.numbers)(found.row);
    if (path.length + text.length <= LONGEST_KEPT) {
      if (rows.size >= KEPT_ROWS) rows.clear();
      rows.set(path, text);
    }
    return text;
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
