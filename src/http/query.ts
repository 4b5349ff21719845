import type { FastifyInstance } from 'fastify';
import { typeText } from '../core/sql-type.ts';
import { bodyBytes, bodyKind, readObject } from './body.ts';
import type { HttpContext } from './http-context.ts';
import { invalid } from './query-params.ts';
import { answers, POSITION, query, text } from './route-schema.ts';
import { FORMAT_PARAMS, rowStyle, sendRows } from './row-format.ts';
import { FRESHNESS_PARAMS } from './views.ts';

/** characters of a statement: no more are run */
const MAX_SQL = 65_536;

/** Ad hoc SELECTs. */
export function queryRoutes(app: FastifyInstance, context: HttpContext): void {
  app.post(
    '/query',
    {
      schema: {
        summary: 'Runs one SELECT over views and the last records of topics',
        description: 'Bounded in what it reads and returns; errors come with their places in `errors`.',
        tags: ['views'],
        querystring: query({ ...FORMAT_PARAMS, ...FRESHNESS_PARAMS }),
        body: {
          type: 'object',
          required: ['sql'],
          properties: { sql: text('the statement', { maxLength: MAX_SQL }) },
        },
        response: answers('the rows', {
          type: 'object',
          properties: {
            columns: { type: 'array', items: { type: 'object' } },
            rows: { type: 'array', items: { type: 'object' } },
            position: POSITION,
            truncated: { type: 'boolean', description: 'whether rows beyond the limit were left out' },
          },
        }),
      },
    },
    async (request, reply) => {
      const params = context.params(request);
      const style = rowStyle(request, params);
      bodyKind(request, false);
      const sql = readObject(bodyBytes(request), 'the request', ['sql']).get('sql');
      if (typeof sql !== 'string')
        throw invalid('the request has no text "sql"', 'send {"sql": "SELECT ..."}');
      if (sql.length > MAX_SQL) throw invalid(`the statement has more than ${MAX_SQL} characters`);
      await context.freshness(params);
      const { columns, rows, position, truncated } = context.ports.queries.run(sql);
      context.stand(reply, position);
      if (truncated) reply.header('millrace-truncated', 'true');
      return sendRows(reply, context.ports.text, style, {
        columns,
        rows,
        before: { columns: columns.map(c => ({ name: c.name, type: typeText(c.type) })) },
        after: { position: context.token(position), truncated },
      });
    },
  );
}
