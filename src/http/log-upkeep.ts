import type { FastifyInstance } from 'fastify';
import { isJsonObject, type Json, JsonNumber, type JsonObject } from '../core/json.ts';
import type { Cut, UpkeepRequest } from '../deploy/log-keeper.ts';
import type { LogAct, TopicInfo } from '../log/event-log.ts';
import { bodyBytes, bodyKind, readObject } from './body.ts';
import type { HttpContext } from './http-context.ts';
import { invalid, momentOf } from './query-params.ts';
import { answers, type JsonSchema, POSITION, query } from './route-schema.ts';

const MEMBERS = ['topic', 'before', 'by', 'acceptIncompleteRebuilds', 'dryRun', 'tombstonesBefore'];
const ACT: JsonSchema = {
  type: 'object',
  properties: {
    act: {
      type: 'object',
      description: 'what the log remembers of it: `n`, `at`, `by`, `kind`, `topic`, `before`, `incomplete`',
    },
    records: { type: 'integer', description: 'records of the topic below the cut' },
    incomplete: {
      type: 'array',
      items: { type: 'string' },
      description: 'views that can no longer be rebuilt exactly',
    },
  },
};
const ORDER: JsonSchema = {
  type: 'object',
  required: ['topic', 'before'],
  properties: {
    topic: { type: 'string' },
    before: {
      type: 'object',
      description:
        'one of `{"position": "..."}`, `{"time": "2026-01-31T08:30:00Z"}` (when it was appended), `{"partition": 0, "offset": 100}`',
    },
    by: { type: 'string', description: 'who orders it; default `http`' },
    acceptIncompleteRebuilds: { type: 'boolean', description: 'take records that views would need again' },
    dryRun: { type: 'boolean', description: 'only tell what would go' },
    tombstonesBefore: {
      type: 'string',
      description: 'compaction: tombstones appended before this time may go',
    },
  },
};

/** What is taken from the log, and by whom it was. */
export function logUpkeepRoutes(app: FastifyInstance, context: HttpContext): void {
  const { log, keeper } = context.ports;

  const actDocument = ({ before, at, ...act }: LogAct) => ({
    ...act,
    at: new Date(at).toISOString(),
    before: context.token(before),
  });

  app.get(
    '/log',
    {
      schema: {
        summary: 'What the log keeps, and what was taken from it',
        tags: ['operation'],
        querystring: query({}),
        response: answers('topics with their floors, acts of upkeep, work under way', {
          type: 'object',
          properties: {
            id: { type: 'string' },
            start: POSITION,
            position: POSITION,
            topics: { type: 'array', items: { type: 'object' } },
            acts: { type: 'array', items: { type: 'object' } },
            upkeep: { type: ['object', 'null'] },
            recovery: { type: 'array', items: { type: 'string' } },
          },
        }),
      },
    },
    async (request, reply) => {
      context.params(request);
      const position = context.stand(reply, log.end());
      return reply.send({
        id: log.id,
        start: context.token(log.start()),
        position,
        topics: log.topics().map(t => keptDocument(context, t)),
        acts: keeper.acts().map(actDocument),
        upkeep: keeper.underWay(),
        recovery: log.recovery,
      });
    },
  );

  const route = (kind: 'trim' | 'compact', summary: string): void => {
    app.post(
      `/log/${kind}`,
      {
        schema: {
          summary,
          description:
            'Refused with `topic_in_use` while views read the topic, unless `acceptIncompleteRebuilds` is set. ' +
            'Answers when the act is durable; its room is freed after that.',
          tags: ['operation'],
          querystring: query({}),
          body: ORDER,
          response: answers('the act; or, with `dryRun`, what it would take', ACT),
        },
      },
      async (request, reply) => {
        context.params(request);
        bodyKind(request, false);
        const body = readObject(bodyBytes(request), 'the body', MEMBERS);
        const order = readOrder(kind, body, context);
        const { records, incomplete, before } = keeper.preview(order);
        context.stand(reply, log.end());
        if (flag(body, 'dryRun')) {
          return reply.send({ topic: order.topic, before: context.token(before), records, incomplete });
        }
        const { act } = await keeper.perform(order);
        return reply.send({ act: actDocument(act), records, incomplete });
      },
    );
  };
  route('trim', 'Takes the records of a topic below a cut');
  route('compact', 'Takes the records of a topic below a cut that a later one of the same key replaces');
}

/** What a topic still holds. */
function keptDocument(
  context: HttpContext,
  { name, records, ends, floor }: TopicInfo,
): Record<string, unknown> {
  const starts = floor?.starts ?? ends.map(() => 0);
  const since = floor === undefined || floor.floor === 0 ? null : new Date(floor.since).toISOString();
  const compacted = floor === undefined || floor.compacted === 0 ? null : context.token(floor.compacted);
  return { name, records, starts, ends, since, compacted };
}

function readOrder(kind: 'trim' | 'compact', body: JsonObject, context: HttpContext): UpkeepRequest {
  const topic = body.get('topic');
  if (typeof topic !== 'string') throw invalid('"topic" is not the name of a topic');
  const by = body.get('by') ?? 'http';
  if (typeof by !== 'string' || by.length > 200)
    throw invalid('"by" is not a text of at most 200 characters');
  const tombstones = body.get('tombstonesBefore');
  return {
    kind,
    topic,
    before: readCut(body.get('before'), context),
    by,
    acceptIncompleteRebuilds: flag(body, 'acceptIncompleteRebuilds'),
    ...(tombstones == null ? {} : { tombstonesBefore: moment(tombstones, 'tombstonesBefore') }),
  };
}

function readCut(json: Json | undefined, context: HttpContext): Cut {
  if (json === undefined || !isJsonObject(json)) {
    throw invalid(
      '"before" is not an object',
      'as {"position": "..."}, {"time": "..."} or {"partition": 0, "offset": 100}',
    );
  }
  const names = [...json.keys()].sort().join(' ');
  const position = json.get('position');
  if (names === 'position' && typeof position === 'string') return { seq: context.sequence(position) };
  if (names === 'time') return { time: moment(json.get('time'), 'time') };
  if (names === 'offset' || names === 'offset partition') {
    return {
      partition: json.has('partition') ? whole(json.get('partition'), 'partition') : 0,
      offset: whole(json.get('offset'), 'offset'),
    };
  }
  throw invalid('"before" is neither a position, nor a time, nor an offset of a partition');
}

function moment(json: Json | undefined, name: string): number {
  const ms = typeof json === 'string' ? momentOf(json) : null;
  if (ms === null) throw invalid(`"${name}" is not a time`, 'write it as 2026-01-31 or 2026-01-31T08:30:00Z');
  return ms;
}

function whole(json: Json | undefined, name: string): number {
  const n = json instanceof JsonNumber && /^[0-9]{1,16}$/.test(json.text) ? Number(json.text) : Number.NaN;
  if (!Number.isSafeInteger(n)) throw invalid(`"${name}" is not a whole number from 0`);
  return n;
}

function flag(body: JsonObject, name: string): boolean {
  const value = body.get(name) ?? false;
  if (typeof value !== 'boolean') throw invalid(`"${name}" is neither true nor false`);
  return value;
}
