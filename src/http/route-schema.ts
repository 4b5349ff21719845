/** JSON Schema as plain data: the documentation of routes, from which the OpenAPI document is made. */
export type JsonSchema = { readonly [keyword: string]: unknown };

declare module 'fastify' {
  interface FastifySchema {
    summary?: string;
    description?: string;
    tags?: readonly string[];
  }
}

/** A parameter of the query string that is a text with these words of explanation. */
export function text(description: string, more: JsonSchema = {}): JsonSchema {
  return { type: 'string', description, ...more };
}

export function whole(description: string, more: JsonSchema = {}): JsonSchema {
  return { type: 'integer', minimum: 0, description, ...more };
}

/** The parameters of a query string; the route refuses every other name (see `query-params.ts`). */
export function query(properties: Readonly<Record<string, JsonSchema>>, anyOther?: string): JsonSchema {
  return {
    type: 'object',
    properties,
    additionalProperties: anyOther === undefined ? false : text(anyOther),
  };
}

export const POSITION: JsonSchema = {
  type: 'string',
  description: 'a position in the log: pass it on as `after`, or as it is',
};

export const PROBLEM: JsonSchema = {
  description: 'what is wrong, as RFC 9457 problem',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** A JSON answer of this shape, and what else may be answered as a problem. */
export function answers(
  description: string,
  schema: JsonSchema,
  status = '200',
): Readonly<Record<string, JsonSchema>> {
  return {
    [status]: { description, content: { 'application/json': { schema } } },
    default: PROBLEM,
  };
}
