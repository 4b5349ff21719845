import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** A strong tag of an answer that is a function of these parts. */
export function entityTag(parts: readonly unknown[]): string {
  return `"${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)}"`;
}

/** Gives the answer its tag; true when the client has this answer already. */
export function isKnown(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.header('etag', tag).header('cache-control', 'no-cache');
  const known = request.headers['if-none-match'];
  if (known === undefined) return false;
  return known.split(',').some(t => t.trim() === '*' || bare(t) === bare(tag));
}

/** Tags what routes have not tagged themselves, by its text, and ends JSON with a newline, as terminals like it. */
export function finishAnswers(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (typeof payload !== 'string' || !String(reply.getHeader('content-type')).includes('json')) {
      done(null, payload);
      return;
    }
    const tagged = request.method !== 'GET' || reply.statusCode !== 200 || reply.hasHeader('etag');
    if (!tagged && isKnown(request, reply, entityTag([payload]))) {
      reply.code(304).removeHeader('content-type');
      done(null, null);
      return;
    }
    done(null, payload.endsWith('}') ? `${payload}\n` : payload);
  });
}

function bare(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}
