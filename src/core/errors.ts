import type { SourceText, Span } from './span.ts';
import { caretLines, lineColumn } from './span.ts';

/**
 * The error catalogue. Every error that a user can meet has a code here; bugs use `assert` / `unreachable` instead.
 * fault: who can mend it. retriable: may the same request succeed later without a change.
 */
export const catalogue = {
  // SQL
  syntax_error: { fault: 'user', retriable: false },
  unknown_column: { fault: 'user', retriable: false },
  ambiguous_column: { fault: 'user', retriable: false },
  unknown_source: { fault: 'user', retriable: false },
  unknown_function: { fault: 'user', retriable: false },
  unknown_type: { fault: 'user', retriable: false },
  type_mismatch: { fault: 'user', retriable: false },
  invalid_argument: { fault: 'user', retriable: false },
  invalid_statement: { fault: 'user', retriable: false },
  invalid_property: { fault: 'user', retriable: false },
  duplicate_name: { fault: 'user', retriable: false },
  name_mismatch: { fault: 'user', retriable: false },
  cyclic_views: { fault: 'user', retriable: false },
  /** valid SQL that this version does not run */
  not_supported: { fault: 'user', retriable: false },
  limit_exceeded: { fault: 'user', retriable: false },
  assertion_failed: { fault: 'user', retriable: false },
  // rows: counted in a view's ledger
  value_undecodable: { fault: 'external', retriable: false },
  expression_failed: { fault: 'user', retriable: false },
  // configuration and files
  config_invalid: { fault: 'user', retriable: false },
  data_folder_locked: { fault: 'user', retriable: true },
  data_corrupt: { fault: 'external', retriable: false },
  /** what is computed from the log is not as it was written: it is computed again */
  state_damaged: { fault: 'external', retriable: true },
  log_write_failed: { fault: 'external', retriable: true },
  disk_full: { fault: 'external', retriable: true },
  // log and topics
  unknown_topic: { fault: 'user', retriable: false },
  topic_exists: { fault: 'user', retriable: false },
  topic_in_use: { fault: 'user', retriable: false },
  invalid_topic: { fault: 'user', retriable: false },
  record_too_large: { fault: 'user', retriable: false },
  position_malformed: { fault: 'user', retriable: false },
  position_foreign: { fault: 'user', retriable: false },
  position_expired: { fault: 'user', retriable: false },
  position_ahead: { fault: 'user', retriable: true },
  // commands
  command_invalid: { fault: 'user', retriable: false },
  command_rejected: { fault: 'user', retriable: false },
  version_conflict: { fault: 'user', retriable: false },
  unknown_entity: { fault: 'user', retriable: false },
  unknown_command: { fault: 'user', retriable: false },
  result_pending: { fault: 'external', retriable: true },
  // views
  unknown_view: { fault: 'user', retriable: false },
  view_building: { fault: 'external', retriable: true },
  view_failed: { fault: 'user', retriable: false },
  view_paused: { fault: 'external', retriable: true },
  view_behind: { fault: 'external', retriable: true },
  view_in_use: { fault: 'user', retriable: false },
  unknown_row: { fault: 'user', retriable: false },
  // sinks
  unknown_sink: { fault: 'user', retriable: false },
  sink_behind: { fault: 'external', retriable: true },
  sink_unreachable: { fault: 'external', retriable: true },
  /** what keeps the rows answers, and does not take them */
  sink_refused: { fault: 'user', retriable: false },
  sink_conflict: { fault: 'user', retriable: false },
  // http
  request_invalid: { fault: 'user', retriable: false },
  unauthorized: { fault: 'user', retriable: false },
  overloaded: { fault: 'external', retriable: true },
  not_found: { fault: 'user', retriable: false },
  method_not_allowed: { fault: 'user', retriable: false },
  forbidden: { fault: 'user', retriable: false },
  topic_protected: { fault: 'user', retriable: false },
  body_too_large: { fault: 'user', retriable: false },
  media_type_unsupported: { fault: 'user', retriable: false },
  not_acceptable: { fault: 'user', retriable: false },
  internal: { fault: 'internal', retriable: true },
} as const satisfies Record<string, { fault: 'user' | 'external' | 'internal'; retriable: boolean }>;

export type ErrorCode = keyof typeof catalogue;

export interface ErrorPlace {
  readonly source: SourceText;
  readonly span: Span;
}

export interface ErrorDetails {
  readonly hint?: string | undefined;
  readonly place?: ErrorPlace | undefined;
  readonly cause?: unknown;
  /** further plain facts for machines (JSON-safe) */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly place: ErrorPlace | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.place = details.place;
    this.data = details.data;
  }
}

/** Several errors of one text, in the order of their places. */
export class MillraceErrors extends Error {
  override readonly name = 'MillraceErrors';
  readonly errors: readonly MillraceError[];

  constructor(errors: readonly MillraceError[]) {
    super(errors.map(e => e.message).join('\n'));
    this.errors = errors;
  }
}

/**
 * The error as a person reads it:
 * ```
 * views/totals.sql:3:12: unknown column "amout" [unknown_column]
 * 3 | SELECT sum(amout)
 *                ^^^^^
 *   hint: did you mean "amount"?
 * ```
 */
export function errorText(error: MillraceError): string {
  const lines: string[] = [];
  if (error.place) {
    const { source, span } = error.place;
    const at = lineColumn(source.text, span.start);
    lines.push(
      `${source.file}:${at.line}:${at.column}: ${error.message} [${error.code}]`,
      caretLines(source, span),
    );
  } else {
    lines.push(`${error.message} [${error.code}]`);
  }
  if (error.hint) lines.push(`  hint: ${error.hint}`);
  return lines.join('\n');
}
