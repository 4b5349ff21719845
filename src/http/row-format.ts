import type { FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import type { Column } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import type { RowText } from './ports.ts';
import type { QueryParams } from './query-params.ts';
import { type JsonSchema, text } from './route-schema.ts';

export type RowFormat = 'json' | 'ndjson' | 'csv';
export type Numbers = 'string' | 'json';

export interface RowStyle {
  readonly format: RowFormat;
  readonly numbers: Numbers;
}

const MEDIA: Readonly<Record<RowFormat, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
};

export const FORMAT_PARAMS: Readonly<Record<string, JsonSchema>> = {
  format: text('how rows are written; without it the Accept header decides', {
    enum: ['json', 'ndjson', 'csv'],
  }),
  numbers: text('BIGINT and DECIMAL as JSON strings (default), or as exact JSON numbers', {
    enum: ['string', 'json'],
  }),
};

/** The format that `?format=` or the Accept header asks for. Throws `not_acceptable`. */
export function rowStyle(request: FastifyRequest, params: QueryParams): RowStyle {
  const format =
    params.word('format', ['json', 'ndjson', 'csv']) ?? accepted(request.headers.accept ?? '*/*');
  return { format, numbers: params.word('numbers', ['string', 'json']) ?? 'string' };
}

/** Rows between the members of a JSON object, or alone as NDJSON or CSV. */
export function sendRows(
  reply: FastifyReply,
  text: RowText,
  { format, numbers }: RowStyle,
  answer: {
    readonly columns: readonly Column[];
    readonly rows: readonly Row[];
    /** members of the JSON object beside `rows`, before and after them */
    readonly before: Readonly<Record<string, unknown>>;
    readonly after: Readonly<Record<string, unknown>>;
  },
): FastifyReply {
  reply.header('content-type', `${MEDIA[format]}; charset=utf-8`).header('vary', 'accept');
  const { columns, rows } = answer;
  if (format === 'csv') {
    const { header, row } = text.csv(columns);
    return reply.send(`${[header, ...rows.map(row)].join('\r\n')}\r\n`);
  }
  const lines = rows.map(text.json(columns, numbers));
  if (format === 'ndjson') return reply.send(lines.map(line => `${line}\n`).join(''));
  const members = [...membersOf(answer.before), `"rows":[${lines.join(',')}]`, ...membersOf(answer.after)];
  return reply.send(`{${members.join(',')}}`);
}

function membersOf(members: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(members).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
}

function accepted(accept: string): RowFormat {
  let best: { format: RowFormat; quality: number } | null = null;
  for (const part of accept.slice(0, 1000).split(',')) {
    const [media = '', ...options] = part.split(';').map(p => p.trim().toLowerCase());
    const format = formatOf(media);
    const quality = Number(options.find(o => o.startsWith('q='))?.slice(2) ?? 1);
    if (format !== null && quality > 0 && quality > (best?.quality ?? 0)) best = { format, quality };
  }
  if (best !== null) return best.format;
  throw new MillraceError('not_acceptable', `none of "${accept.slice(0, 80)}" can be answered`, {
    hint: `accept ${Object.values(MEDIA).join(', ')}, or say ?format=json`,
  });
}

function formatOf(media: string): RowFormat | null {
  switch (media) {
    case '*/*':
    case 'application/*':
    case MEDIA.json:
      return 'json';
    case MEDIA.ndjson:
    case 'application/ndjson':
    case 'application/jsonl':
      return 'ndjson';
    case MEDIA.csv:
    case 'text/*':
      return 'csv';
    default:
      return null;
  }
}
