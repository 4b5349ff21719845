import type { Span } from '../../core/span.ts';
import { type SqlType, typeText } from '../../core/sql-type.ts';
import type { FormatSpec } from '../../plan/plan.ts';
import type { Problems } from './problems.ts';

export interface FormatColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly span: Span;
}

/** Refuses columns that a format cannot write, and settings that it does not have. */
export function checkFormat(
  part: 'key' | 'value',
  format: FormatSpec,
  columns: readonly FormatColumn[],
  problems: Problems,
): void {
  for (const column of columns) {
    const reason = refusal(part, format, column.type);
    if (reason) {
      problems.report(
        'invalid_statement',
        column.span,
        `${part} column "${column.name}" (${typeText(column.type)}): ${reason}`,
        remedy(part, format),
      );
    }
  }
  const first = columns[0];
  const second = columns[1];
  if (format.format === 'KAFKA' && second) {
    problems.report(
      'invalid_statement',
      second.span,
      `the KAFKA format holds a single ${part} column, but there are ${columns.length}`,
      `write ${part.toUpperCase()}_FORMAT = 'JSON'`,
    );
  }
  if (format.format === 'NONE' && first) {
    problems.report(
      'invalid_statement',
      first.span,
      `the NONE format holds no columns, but there is a ${part} column "${first.name}"`,
      `write ${part.toUpperCase()}_FORMAT = 'KAFKA' or 'JSON', or leave the column out`,
    );
  }
}

/** JSON holds every type; a MAP in a key, or with keys that are no texts, has no form at all. */
function remedy(part: 'key' | 'value', { format }: FormatSpec): string {
  if (format === 'JSON') return 'declare it another type, ARRAY<STRUCT<...>> for instance';
  return `write ${part.toUpperCase()}_FORMAT = 'JSON'`;
}

function refusal(part: 'key' | 'value', format: FormatSpec, type: SqlType): string | null {
  if (part === 'key' && holds(type, t => t.kind === 'MAP')) {
    return 'maps in keys are not supported: equal maps can have different bytes';
  }
  switch (format.format) {
    case 'KAFKA':
      return KAFKA_TYPES.has(type.kind) ? null : `the KAFKA format does not support ${type.kind}`;
    case 'DELIMITED':
      return NESTED.has(type.kind) ? `the DELIMITED format does not support ${type.kind}` : null;
    case 'JSON':
      return holds(type, t => t.kind === 'MAP' && t.key.kind !== 'STRING')
        ? 'JSON writes only MAPs with STRING keys'
        : null;
    case 'NONE':
      return null;
  }
}

const KAFKA_TYPES: ReadonlySet<SqlType['kind']> = new Set(['INT', 'BIGINT', 'DOUBLE', 'STRING', 'BYTES']);
const NESTED: ReadonlySet<SqlType['kind']> = new Set(['ARRAY', 'MAP', 'STRUCT']);

function holds(type: SqlType, test: (type: SqlType) => boolean): boolean {
  if (test(type)) return true;
  switch (type.kind) {
    case 'ARRAY':
      return holds(type.element, test);
    case 'MAP':
      return holds(type.key, test) || holds(type.value, test);
    case 'STRUCT':
      return type.fields.some(f => holds(f.type, test));
    default:
      return false;
  }
}
