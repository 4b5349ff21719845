import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import { faultPoint } from '../core/fault-points.ts';
import { TICK_TOPIC } from '../core/log-record.ts';
import { INVOICE_TOPICS } from '../invoice/invoice-entity.ts';
import type { AppendRecord, TopicInfo } from '../log/event-log.ts';
import { bodyBytes, bodyKind } from './body.ts';
import type { HttpContext } from './http-context.ts';
import { PRODUCED_RECORD, producedRecord } from './produced-record.ts';
import { invalid } from './query-params.ts';
import { answers, type JsonSchema, POSITION, query, text, whole } from './route-schema.ts';
import { SHOWN_RECORD, shownRecord } from './shown-record.ts';

/** Topics that the command runtime alone writes: what stands there has been decided. */
const PROTECTED: ReadonlySet<string> = new Set([
  INVOICE_TOPICS.commands,
  INVOICE_TOPICS.events,
  INVOICE_TOPICS.snapshots,
  ...INVOICE_TOPICS.published,
  'command-results',
]);
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;
const NEWLINE = 0x0a;

const NAME = { name: text('name of the topic') };
const TOPIC: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    partitions: { type: 'integer' },
    records: { type: 'integer' },
    ends: { type: 'array', items: { type: 'integer' }, description: 'next offset of each partition' },
    starts: {
      type: 'array',
      items: { type: 'integer' },
      description: 'first offset that each partition still has; only when records were trimmed',
    },
    since: { type: 'string', description: 'the topic has every record that was appended from this time on' },
    writable: { type: 'boolean', description: 'whether records may be posted to it' },
  },
};

/** Topics of the log: what they hold, and records for them. */
export function topicRoutes(app: FastifyInstance, context: HttpContext): void {
  const { log, suggest } = context.ports;

  const find = (name: string): TopicInfo => {
    const topic = log.topic(name);
    if (topic !== null) return topic;
    const near = suggest(
      name,
      log.topics().map(t => t.name),
    );
    throw new MillraceError('unknown_topic', `there is no topic "${name.slice(0, 80)}"`, {
      hint: near === null ? 'GET /topics lists the topics' : `did you mean "${near}"?`,
    });
  };

  app.get(
    '/topics',
    {
      schema: {
        summary: 'All topics',
        tags: ['topics'],
        querystring: query({}),
        response: answers('the topics by name', {
          type: 'object',
          properties: { position: POSITION, topics: { type: 'array', items: TOPIC } },
        }),
      },
    },
    async (request, reply) => {
      context.params(request);
      const position = context.stand(reply, log.end());
      const topics = log.topics().filter(t => t.name !== TICK_TOPIC);
      topics.sort((a, b) => (a.name < b.name ? -1 : 1));
      return reply.send({ position, topics: topics.map(topicDocument) });
    },
  );

  app.get(
    '/topics/:name',
    {
      schema: {
        summary: 'A topic',
        tags: ['topics'],
        params: query(NAME),
        querystring: query({}),
        response: answers('the topic', TOPIC),
      },
    },
    async (request, reply) => {
      context.params(request);
      const topic = find((request.params as { name: string }).name);
      const position = context.stand(reply, log.end());
      return reply.send({ ...topicDocument(topic), position });
    },
  );

  app.get(
    '/topics/:name/records',
    {
      schema: {
        summary: 'Records of a topic',
        description:
          'From an offset of a partition on, or without `offset` the last ones (of all partitions).',
        tags: ['topics'],
        params: query(NAME),
        querystring: query({
          partition: whole('default: all, or 0 with an offset'),
          offset: whole('first offset'),
          limit: whole(`records at most (default ${DEFAULT_LIMIT}, at most ${MAX_LIMIT})`),
        }),
        response: answers('records in order', {
          type: 'object',
          properties: { topic: { type: 'string' }, records: { type: 'array', items: SHOWN_RECORD } },
        }),
      },
    },
    async (request, reply) => {
      const topic = find((request.params as { name: string }).name);
      const params = context.params(request);
      const limit = params.whole('limit', { min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT;
      const partition = params.whole('partition', { max: topic.partitions - 1 });
      const offset = params.whole('offset');
      const position = context.stand(reply, log.end());
      const records = readRecords(context, topic, { partition, offset, limit });
      const lines = records.map(r => shownRecord(r, context.token(r.seq + 1)));
      const head = JSON.stringify({ topic: topic.name, position }).slice(0, -1);
      return reply.type('application/json; charset=utf-8').send(`${head},"records":[${lines.join(',')}]}`);
    },
  );

  app.post(
    '/topics/:name/records',
    {
      schema: {
        summary: 'Appends records to a topic',
        description:
          'One record as JSON, or many as lines of JSON (`application/x-ndjson`): all of them are appended or none. ' +
          'Answers when they are durable.',
        tags: ['topics'],
        params: query(NAME),
        querystring: query({}),
        body: PRODUCED_RECORD,
        response: answers('where they stand', {
          type: 'object',
          properties: {
            topic: { type: 'string' },
            position: POSITION,
            records: {
              type: 'array',
              items: {
                type: 'object',
                properties: { partition: { type: 'integer' }, offset: { type: 'integer' } },
              },
            },
          },
        }),
      },
    },
    async (request, reply) => {
      context.params(request);
      const topic = find((request.params as { name: string }).name);
      refuseProtected(topic.name);
      const bytes = bodyBytes(request);
      const records =
        bodyKind(request, true) === 'json'
          ? [producedRecord(bytes, topic, 'the record')]
          : lines(bytes, topic);
      if (records.length === 0) throw invalid('there is no record in the body');
      faultPoint('topic.produce');
      const appended = log.append({ records });
      await appended.durable;
      const position = context.stand(reply, appended.end);
      return reply.send({
        topic: topic.name,
        position,
        records: appended.records.map(r => ({ partition: r.partition, offset: r.offset })),
      });
    },
  );
}

function isProtected(name: string): boolean {
  return name.startsWith('$') || PROTECTED.has(name);
}

function refuseProtected(name: string): void {
  if (!isProtected(name)) return;
  throw new MillraceError('topic_protected', `topic "${name}" is written by command handlers only`, {
    hint: 'send a command: POST /invoices/{id}/commands',
  });
}

function topicDocument({ name, partitions, records, ends, floor }: TopicInfo): Record<string, unknown> {
  const trimmed =
    floor === undefined || floor.floor === 0
      ? {}
      : { starts: floor.starts, since: new Date(floor.since).toISOString() };
  return { name, partitions, records, ends, ...trimmed, writable: !isProtected(name) };
}

function readRecords(
  { ports: { log } }: HttpContext,
  topic: TopicInfo,
  asked: { partition: number | null; offset: number | null; limit: number },
) {
  const { partition, offset, limit } = asked;
  if (partition === null && offset === null) return log.lastRecords(topic.name, limit);
  const of = partition ?? 0;
  refuseTrimmed(topic, of, offset);
  const fromOffset = offset ?? Math.max(0, (topic.ends[of] ?? 0) - limit);
  return log.readTopic(topic.name, { partition: of, fromOffset, limit });
}

/** Who asks for a record that is gone is told so, instead of being given another one. */
function refuseTrimmed({ name, floor }: TopicInfo, partition: number, offset: number | null): void {
  const start = floor?.starts[partition] ?? 0;
  if (floor === undefined || offset === null || offset >= start) return;
  const since = new Date(floor.since).toISOString();
  throw new MillraceError(
    'position_expired',
    `partition ${partition} of topic "${name}" begins at offset ${start}: earlier records were taken from the log`,
    {
      hint: `it has every record that was appended since ${since}; GET /log tells what was taken, and by whom`,
      data: { topic: name, partition, start, since },
    },
  );
}

/** Each line of the body that is not blank as a record. */
function lines(bytes: Uint8Array, topic: TopicInfo): AppendRecord[] {
  const records: AppendRecord[] = [];
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const text = bytes.subarray(start, end);
    if (text.some(b => b > 0x20)) records.push(producedRecord(text, topic, `line ${line}`));
    start = end + 1;
  }
  return records;
}
