import type { FastifyRequest } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../core/json.ts';
import { invalid } from './query-params.ts';

/** `application/x-www-form-urlencoded` is what curl says when it is told nothing: its text is read as JSON too. */
const JSON_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'text/json',
  'text/plain',
  'application/x-www-form-urlencoded',
]);
const LINES_TYPES: ReadonlySet<string> = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
]);

/** The bytes of the body; empty when there is none. */
export function bodyBytes(request: FastifyRequest): Uint8Array {
  return Buffer.isBuffer(request.body) ? request.body : new Uint8Array();
}

/** Whether the body is one JSON text or lines of them. Throws `media_type_unsupported`. */
export function bodyKind(request: FastifyRequest, takesLines: boolean): 'json' | 'lines' {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (JSON_TYPES.has(type) || type.endsWith('+json')) return 'json';
  if (takesLines && LINES_TYPES.has(type)) return 'lines';
  throw new MillraceError(
    'media_type_unsupported',
    `a body of type "${type.slice(0, 80)}" is not read here`,
    {
      hint: takesLines ? 'send application/json or application/x-ndjson' : 'send application/json',
    },
  );
}

/** JSON of a request; a fault is told with its place. Throws `request_invalid`. */
export function readJson(bytes: Uint8Array, what: string): Json {
  try {
    return parseJson(bytes, { maxSize: Number.MAX_SAFE_INTEGER });
  } catch (cause) {
    if (!(cause instanceof MillraceError)) throw cause;
    const { place, message } = cause;
    const says = message.startsWith('not JSON') ? `is ${message}` : `cannot be read: ${message}`;
    throw new MillraceError('request_invalid', `${what} ${says}`, {
      place: place && { ...place, source: { ...place.source, file: `<${what.replace(/^the /, '')}>` } },
      cause,
    });
  }
}

/** The members of a JSON object, of these names only. */
export function readObject(bytes: Uint8Array, what: string, names: readonly string[]): JsonObject {
  const json = readJson(bytes, what);
  if (!isJsonObject(json)) throw invalid(`${what} is not a JSON object`);
  for (const name of json.keys()) {
    if (!names.includes(name)) {
      throw invalid(`${what} has an unknown member "${name.slice(0, 80)}"`, `known: ${names.join(', ')}`);
    }
  }
  return json;
}
