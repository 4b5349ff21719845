import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import type { Column } from '../core/schema.ts';
import { typeText } from '../core/sql-type.ts';
import type { Row, Value } from '../core/value.ts';
import type { OpenView, ViewStatus } from '../deploy/view-access.ts';
import { isKnown } from './entity-tag.ts';
import type { HttpContext } from './http-context.ts';
import { pathSegments, type QueryParams } from './query-params.ts';
import { answers, type JsonSchema, POSITION, query, text, whole } from './route-schema.ts';
import { FORMAT_PARAMS, type RowStyle, rowStyle, sendRows } from './row-format.ts';
import { readPage } from './view-page.ts';
import { viewQuery } from './view-query.ts';

export const FRESHNESS_PARAMS: Readonly<Record<string, JsonSchema>> = {
  after: text('answer with rows at least as fresh as this position, else 503 `view_behind`'),
  wait: text('how long to wait for `after`: 500ms, 2s (default 2s)'),
};

export const PAGE_PARAMS: Readonly<Record<string, JsonSchema>> = {
  order: text(
    'columns to order by, `-` before a name for descending: `order=customer,-total` (default: the key)',
  ),
  limit: whole('rows of the page (default 100)', { minimum: 1 }),
  cursor: text('`next` of the page before'),
  from: text('windowed views: windows that start at or after this time (ISO or ms)'),
  to: text('windowed views: windows that start before this time (ISO or ms)'),
};

const ROW_PARAMS = { ...PAGE_PARAMS, ...FRESHNESS_PARAMS, ...FORMAT_PARAMS };
const CONDITION =
  '`column=value` (repeated: any of these), `column.gt`, `.gte`, `.lt`, `.lte=value`, `column.null=true|false`';

const ROWS: JsonSchema = {
  type: 'object',
  properties: {
    view: { type: 'string' },
    position: POSITION,
    paused: { type: 'string', description: 'the rows do not move any more, and why' },
    rows: { type: 'array', items: { type: 'object' } },
    next: { type: ['string', 'null'], description: 'cursor of the next page; null at the end' },
  },
};

const NAME = { name: text('name of the view, in any case') };

/** Views and their rows. */
export function viewRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get(
    '/views',
    {
      schema: {
        summary: 'All views, with their state',
        tags: ['views'],
        querystring: query({}),
        response: answers('the views by name', { type: 'object' }),
      },
    },
    async (request, reply) => {
      context.params(request);
      const position = context.stand(reply, context.ports.views.position());
      const views = context.ports.views.list().map(status => viewSummary(context, status));
      return reply.send({ position, views });
    },
  );

  app.get(
    '/views/:name',
    {
      schema: {
        summary: 'Rows of a view',
        description:
          'A page may be short and yet have a `next`: a request looks at a bounded number of rows.',
        tags: ['views'],
        params: query(NAME),
        querystring: query(ROW_PARAMS, CONDITION),
        response: answers('a page of rows', ROWS),
      },
    },
    (request, reply) =>
      whenFresh(context, request, reply, ({ params, style, view }) =>
        isUnchanged(context, request, reply, view, style)
          ? reply.code(304).send()
          : sendPage(context, reply, { view, params, style, key: [] }),
      ),
  );

  app.get(
    '/views/:name/*',
    {
      schema: {
        summary: 'The row of a key',
        description:
          'Values of the key columns, each a part of the path (percent-encoded). A complete key (with window bounds ' +
          'where there are windows) answers one `row`; the first columns alone answer all `rows` that begin so, as ' +
          'do all windows of a key. The keys `changes`, `status` and `replay` are read with `?column=value`.',
        tags: ['views'],
        params: query({ ...NAME, '*': text('key values, separated by /') }),
        querystring: query(ROW_PARAMS, CONDITION),
        response: answers('the row, or a page of rows', ROWS),
      },
    },
    (request, reply) =>
      whenFresh(context, request, reply, ({ params, style, view }) => {
        const key = keyValues(context, view, pathSegments(request).slice(2));
        if (isUnchanged(context, request, reply, view, style)) return reply.code(304).send();
        return key.length === view.key.length
          ? sendRow(context, reply, { view, style, key })
          : sendPage(context, reply, { view, params, style, key });
      }),
  );
}

interface Asked {
  readonly view: OpenView;
  readonly style: RowStyle;
  readonly key: Row;
}

interface Opened {
  readonly params: QueryParams;
  readonly style: RowStyle;
  readonly view: OpenView;
}

/** Answers when the views are as fresh as is asked for: at once, in this call, when nothing is. */
function whenFresh(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: (opened: Opened) => FastifyReply,
): Promise<FastifyReply> | undefined {
  const params = context.params(request);
  const style = rowStyle(request, params);
  const { name } = request.params as { name: string };
  // nothing is awaited from here to the answer: all that is read stands at one position
  const opened = (asked: number): Opened => {
    const view = context.ports.views.open(name);
    if (view.position < asked) throw standsStill(context, view);
    context.stand(reply, view.position);
    if (view.paused != null) reply.header('millrace-paused', view.paused);
    return { params, style, view };
  };
  if (!params.has('after') && !params.has('wait')) {
    answer(opened(0));
    return undefined;
  }
  context.ports.views.status(name);
  return context.freshness(params).then(asked => answer(opened(asked)));
}

/** A view that went wrong while it was live keeps its rows, but none as fresh as was asked for. */
function standsStill(context: HttpContext, view: OpenView): MillraceError {
  if (view.paused != null) {
    return new MillraceError('view_paused', `view "${view.name}" is paused: ${view.paused}`, {
      hint: 'without `after` the last rows are answered; its status says what is needed',
      data: { view: view.name, position: context.token(view.position) },
    });
  }
  return new MillraceError('view_behind', `view "${view.name}" went wrong and stands still`, {
    hint: 'its status says why; without `after` the last rows are answered',
    data: { view: view.name, position: context.token(view.position) },
  });
}

/** what an answer says of its view before the rows */
function standing(context: HttpContext, view: OpenView): Record<string, unknown> {
  const paused = view.paused == null ? {} : { paused: view.paused };
  return { view: view.name, position: context.token(view.position), ...paused };
}

function sendPage(
  context: HttpContext,
  reply: FastifyReply,
  { view, style, key, params }: Asked & { readonly params: QueryParams },
): FastifyReply {
  const { ports, limits } = context;
  const query = viewQuery(view, params, ports, {
    maxLimit: limits.page,
    known: Object.keys(ROW_PARAMS),
    key,
  });
  const { rows, next } = readPage(view, query, ports.text);
  if (next !== null) reply.header('millrace-next', next);
  return sendRows(reply, ports.text, style, {
    columns: view.columns,
    rows,
    before: standing(context, view),
    after: { next },
  });
}

function sendRow(context: HttpContext, reply: FastifyReply, { view, style, key }: Asked): FastifyReply {
  const found = view.get(key);
  const { text } = context.ports;
  if (found === null) {
    throw new MillraceError('unknown_row', `"${view.name}" has no row of this key`, {
      data: { view: view.name, position: context.token(view.position) },
    });
  }
  if (style.format !== 'json') {
    return sendRows(reply, text, style, { columns: view.columns, rows: [found.row], before: {}, after: {} });
  }
  return reply
    .header('content-type', 'application/json; charset=utf-8')
    .send(rowDocument(context, view, style, found.row));
}

/** One row as the JSON that is answered. */
function rowDocument(context: HttpContext, view: OpenView, { numbers }: RowStyle, row: Row): string {
  return `${rowHead(context, view)}${context.ports.text.json(view.columns, numbers)(row)}}`;
}

/** What stands before the row. */
export function rowHead(context: HttpContext, view: OpenView): string {
  return `${JSON.stringify(standing(context, view)).slice(0, -1)},"row":`;
}

function keyValues(context: HttpContext, view: OpenView, segments: readonly string[]): Value[] {
  const parts =
    segments.at(-1) === '' && segments.length > view.key.length ? segments.slice(0, -1) : segments;
  if (view.key.length === 0) {
    throw new MillraceError('unknown_row', `the rows of "${view.name}" have no key`, {
      hint: `read them with GET /views/${encodeURIComponent(view.name)}?column=value`,
    });
  }
  if (parts.length > view.key.length) {
    const names = view.key.map(i => view.columns[i]?.name);
    throw new MillraceError('unknown_row', `the key of "${view.name}" has ${view.key.length} parts`, {
      hint: `its columns are ${names.join(', ')}; write "/" within a value as %2F`,
    });
  }
  return parts.map((part, i) => context.ports.text.parse(view.columns[view.key[i] ?? -1] as Column, part));
}

/** Sets the ETag: the answer of an address is a function of the view's version, its position, the style and a pause. */
function isUnchanged(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  view: OpenView,
  style: RowStyle,
): boolean {
  return isKnown(request, reply, viewTag(context, view, style));
}

export function viewTag(context: HttpContext, view: OpenView, { format, numbers }: RowStyle): string {
  const version = view.fingerprint.slice(0, 16);
  return `"${version}-${context.token(view.position)}-${format}${numbers === 'json' ? 'n' : ''}${view.paused == null ? '' : '-paused'}"`;
}

/** A view as the list shows it: what it is, how it stands, and its columns once it is served. */
export function viewSummary(context: HttpContext, status: ViewStatus): Record<string, unknown> {
  const path = `/views/${encodeURIComponent(status.name)}`;
  const links = { rows: path, changes: `${path}/changes`, status: `${path}/status` };
  if (!status.serving) return { ...statusDocument(context, status), links };
  const view = context.ports.views.open(status.name);
  return {
    ...statusDocument(context, status),
    windowed: view.windowed,
    key: view.key.map(i => view.columns[i]?.name),
    columns: view.columns.map(c => ({ name: c.name, type: typeText(c.type) })),
    links,
  };
}

/** The status with the position of its rows as a token. */
export function statusDocument(context: HttpContext, status: ViewStatus): Record<string, unknown> {
  const { position, since, ...rest } = status;
  return {
    ...rest,
    position: position === null ? null : context.token(position),
    ...(since === undefined ? {} : { since: sinceDocument(context, since) }),
  };
}

/** Where the history of a view begins that was built after records had been taken from the log. */
export function sinceDocument(
  context: Pick<HttpContext, 'token'>,
  { position, time }: NonNullable<ViewStatus['since']>,
): Record<string, unknown> {
  return { position: context.token(position), time: new Date(time).toISOString() };
}
