import { assert } from '../../core/assert.ts';
import { type ErrorCode, MillraceError } from '../../core/errors.ts';
import type { SourceText, Span } from '../../core/span.ts';

/** further errors of one text are counted, not kept */
const MAX_ERRORS = 100;

/** The hint of every strict refusal that full SQL would allow. */
export const FULL_SQL = 'write CREATE VIEW to use full SQL';

/** Where rows change, groups of time are columns. */
export const WINDOWLESS = 'leave WINDOW out, or group by a column that holds the time';

/**
 * Collects the errors of one text, so that a user sees several at once. Rules throw a located {@link MillraceError};
 * `attempt` catches it at the next independent part (a select item, a clause, a property) and goes on.
 */
export class Problems {
  readonly source: SourceText;
  readonly #errors: MillraceError[] = [];
  #count = 0;

  constructor(source: SourceText) {
    this.source = source;
  }

  get errors(): readonly MillraceError[] {
    return this.#errors
      .map((error, i) => ({ error, i, at: error.place?.span.start ?? 0 }))
      .sort((a, b) => a.at - b.at || a.i - b.i)
      .map(e => e.error);
  }

  get count(): number {
    return this.#count;
  }

  error(code: ErrorCode, span: Span, message: string, hint?: string): MillraceError {
    return new MillraceError(code, message, { hint, place: { source: this.source, span } });
  }

  /** An error that is reported already ({@link reported}) counts once. */
  add(error: MillraceError): void {
    if (this.#errors.includes(error)) return;
    this.#count++;
    if (this.#errors.length < MAX_ERRORS) this.#errors.push(error);
  }

  report(code: ErrorCode, span: Span, message: string, hint?: string): void {
    this.add(this.error(code, span, message, hint));
  }

  /** The result, or null after an error, which is kept. */
  attempt<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.add(error);
      return null;
    }
  }
}

/** Thrown where the errors were reported already and the statement cannot be read further. */
export function reported(problems: Problems): MillraceError {
  const first = problems.errors[0];
  assert(first, 'a statement was given up without an error');
  return first;
}

/** `a`, `a and b`, `a, b and c` */
export function listText(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
