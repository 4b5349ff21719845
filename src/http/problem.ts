import { catalogue, type ErrorCode, errorText, MillraceError, MillraceErrors } from '../core/errors.ts';
import { lineColumn } from '../core/span.ts';

/** The HTTP status of every code of the catalogue: the only place where the two meet. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  syntax_error: 400,
  unknown_column: 400,
  ambiguous_column: 400,
  unknown_source: 400,
  unknown_function: 400,
  unknown_type: 400,
  type_mismatch: 400,
  invalid_argument: 400,
  invalid_statement: 400,
  invalid_property: 400,
  duplicate_name: 400,
  name_mismatch: 400,
  cyclic_views: 400,
  not_supported: 400,
  limit_exceeded: 400,
  assertion_failed: 400,
  value_undecodable: 400,
  expression_failed: 400,
  config_invalid: 500,
  data_folder_locked: 503,
  data_corrupt: 500,
  state_damaged: 503,
  log_write_failed: 503,
  disk_full: 507,
  unknown_topic: 404,
  topic_exists: 409,
  topic_in_use: 409,
  invalid_topic: 400,
  record_too_large: 413,
  position_malformed: 400,
  position_foreign: 409,
  position_expired: 409,
  position_ahead: 409,
  command_invalid: 400,
  command_rejected: 422,
  version_conflict: 409,
  unknown_entity: 404,
  unknown_command: 400,
  result_pending: 503,
  unknown_view: 404,
  view_building: 503,
  view_failed: 503,
  view_paused: 503,
  view_behind: 503,
  view_in_use: 409,
  unknown_row: 404,
  unknown_sink: 404,
  sink_behind: 503,
  sink_unreachable: 503,
  sink_refused: 503,
  sink_conflict: 409,
  request_invalid: 400,
  unauthorized: 401,
  overloaded: 503,
  not_found: 404,
  method_not_allowed: 405,
  forbidden: 403,
  topic_protected: 403,
  body_too_large: 413,
  media_type_unsupported: 415,
  not_acceptable: 406,
  internal: 500,
};

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** seconds after which an answer that may change is worth asking for again */
const RETRY_AFTER = 1;

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * An error as RFC 9457 problem: `type`, `title`, `status`, `code`, `detail`, `hint`, `retriable`, the facts of the error,
 * and `errors` with the places of a text (SQL) or `fields` with the faults of a command. Anything that is no error of
 * the catalogue is ours: it is reported with an id, and the client is told the id alone.
 */
export function problemOf(error: unknown, report: (error: unknown) => string): Problem {
  if (error instanceof MillraceErrors) return problemOfMany(error.errors, report);
  if (error instanceof MillraceError && error.code !== 'internal') return problemOfMany([error], report);
  const id = report(error);
  return problem({
    code: 'internal',
    status: STATUS.internal,
    detail: `the server failed; its log tells more under ${id}`,
    facts: { id },
  });
}

/** The problem of a code that may stand outside the catalogue, as the refusals of a domain do. */
export function problem({
  code,
  status,
  detail,
  hint,
  facts = {},
}: {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly hint?: string | null | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}): Problem {
  const retriable = isCatalogued(code) && catalogue[code].retriable;
  return {
    status,
    headers: {
      ...((status === 503 || status === 507) && retriable ? { 'retry-after': String(RETRY_AFTER) } : {}),
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="millrace"' } : {}),
    },
    body: {
      ...facts,
      type: `urn:millrace:problem:${code}`,
      title: title(code),
      status,
      code,
      detail,
      hint: hint ?? null,
      retriable,
    },
  };
}

function problemOfMany(errors: readonly MillraceError[], report: (error: unknown) => string): Problem {
  const [first] = errors;
  if (first === undefined) return problemOf(new Error('an error without errors'), report);
  const { errors: fields, ...facts } = first.data ?? {};
  const placed = errors.length > 1 || first.place !== undefined;
  return problem({
    code: first.code,
    status: STATUS[first.code],
    detail: errors.length > 1 ? `${errors.length} errors; the first: ${first.message}` : first.message,
    hint: first.hint,
    facts: {
      ...facts,
      ...(fields === undefined ? {} : { fields }),
      ...(placed ? { errors: errors.map(errorDocument) } : {}),
    },
  });
}

function errorDocument(error: MillraceError): Record<string, unknown> {
  const { place } = error;
  const at = place === undefined ? null : lineColumn(place.source.text, place.span.start);
  return {
    code: error.code,
    message: error.message,
    hint: error.hint ?? null,
    file: place?.source.file ?? null,
    line: at?.line ?? null,
    column: at?.column ?? null,
    text: errorText(error),
  };
}

function title(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function isCatalogued(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code);
}
