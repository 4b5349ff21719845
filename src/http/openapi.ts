import type { FastifyInstance, RouteOptions } from 'fastify';
import type { OpenView } from '../deploy/view-access.ts';
import { parameterSchema, rowSchema } from './column-schema.ts';
import type { HttpContext } from './http-context.ts';
import { type JsonSchema, PROBLEM, query, text } from './route-schema.ts';
import type { RouteTable } from './route-table.ts';

const PROBLEM_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'retriable'],
  properties: {
    type: text('names the code as a URN'),
    title: text('the code in words'),
    status: { type: 'integer' },
    code: text('what is wrong, for machines'),
    detail: text('what is wrong, for people'),
    hint: { type: ['string', 'null'], description: 'what to do about it' },
    retriable: { type: 'boolean', description: 'whether the same request may succeed later' },
    errors: {
      type: 'array',
      description: 'errors of a text: code, message, hint, line, column, and `text` with a caret line',
      items: { type: 'object' },
    },
    fields: {
      type: 'array',
      description: 'faults of a command: path, code, message',
      items: { type: 'object' },
    },
  },
};

/** The OpenAPI document: of the routes' own schemas, and of the views as they are served now. */
export function openApiRoutes(
  app: FastifyInstance,
  context: HttpContext,
  table: RouteTable,
  secured: boolean,
): void {
  app.get(
    '/openapi.json',
    {
      schema: {
        summary: 'This document',
        tags: ['operation'],
        querystring: query({}),
        response: {
          '200': {
            description: 'OpenAPI 3.1',
            content: { 'application/json': { schema: { type: 'object' } } },
          },
        },
      },
    },
    async (request, reply) => {
      context.params(request);
      return reply.send(openApi(context, table.routes, secured));
    },
  );
}

function openApi(
  context: HttpContext,
  routes: readonly RouteOptions[],
  secured: boolean,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    if (route.schema === undefined || route.method === 'HEAD') continue;
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}').replace('/*', '/{key}');
    const method = String(route.method).toLowerCase();
    paths[path] = { ...paths[path], [method]: operation(route) };
  }
  const rows = routes.find(r => r.url === '/views/:name' && r.method === 'GET');
  const schemas: Record<string, JsonSchema> = { Problem: PROBLEM_SCHEMA };
  for (const view of servedViews(context)) {
    const schema = `Row_${view.name.replaceAll(/[^\w.-]/g, '_')}`;
    schemas[schema] = rowSchema(view.columns);
    paths[`/views/${encodeURIComponent(view.name)}`] = {
      get: viewOperation(view, `#/components/schemas/${schema}`, rows),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version: '0.1.0',
      description:
        'Events turned into live SQL views. DECIMAL and BIGINT are JSON strings unless `?numbers=json` asks for ' +
        'exact JSON numbers. Answers carry the position that they stand at (header `Millrace-Position`); pass it as ' +
        '`after` to read rows at least that fresh. Every error is a problem document.',
    },
    paths,
    components: {
      schemas,
      ...(secured ? { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } : {}),
    },
    ...(secured ? { security: [{ token: [] }] } : {}),
  };
}

function operation({ url, schema = {} }: RouteOptions): Record<string, unknown> {
  const { summary, description, tags, querystring, params, body, response } = schema;
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    ...(tags === undefined ? {} : { tags }),
    parameters: [...parameters(params, 'path'), ...parameters(querystring, 'query')],
    ...(body === undefined ? {} : { requestBody: requestBody(url, body as JsonSchema) }),
    responses: response,
  };
}

function requestBody(url: string, schema: JsonSchema): Record<string, unknown> {
  const lines = {
    'application/x-ndjson': { schema: { type: 'string', description: 'one JSON object a line' } },
  };
  return {
    required: true,
    content: { 'application/json': { schema }, ...(url === '/topics/:name/records' ? lines : {}) },
  };
}

function parameters(schema: unknown, place: 'path' | 'query'): Record<string, unknown>[] {
  const { properties = {} } = (schema ?? {}) as { readonly properties?: Record<string, JsonSchema> };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name: name === '*' ? 'key' : name,
    in: place,
    required: place === 'path',
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function servedViews({ ports: { views } }: HttpContext): OpenView[] {
  return views.list().flatMap(({ name, serving }) => (serving ? [views.open(name)] : []));
}

/** The path of one view: what `/views/{name}` takes, and its columns as conditions. */
function viewOperation(view: OpenView, row: string, rows: RouteOptions | undefined): Record<string, unknown> {
  const general = parameters(rows?.schema?.querystring, 'query').filter(
    p => view.windowed || (p.name !== 'from' && p.name !== 'to'),
  );
  const taken = new Set(general.map(p => p.name));
  const columns = view.columns.map(c => ({
    name: taken.has(c.name) ? `${c.name}.eq` : c.name,
    in: 'query',
    required: false,
    schema: parameterSchema(c.type),
  }));
  const page = {
    type: 'object',
    properties: {
      view: { type: 'string' },
      position: { type: 'string' },
      rows: { type: 'array', items: { $ref: row } },
      next: { type: ['string', 'null'] },
    },
  };
  const key = view.key.map(i => view.columns[i]?.name).join(', ');
  return {
    summary: `Rows of ${view.name}`,
    description: `${view.description}\n\n${key === '' ? 'Rows have no key.' : `Key: ${key}.`}`.trim(),
    tags: ['rows'],
    parameters: [...columns, ...general],
    responses: {
      '200': { description: 'a page of rows', content: { 'application/json': { schema: page } } },
      default: PROBLEM,
    },
  };
}
