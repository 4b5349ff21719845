/** A range of a source text in UTF-16 units: [start, end). */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A text that errors point into; `file` is shown to the user (relative path, or a name like `<query>`). */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

export interface LineColumn {
  /** from 1 */
  readonly line: number;
  /** from 1, in UTF-16 units */
  readonly column: number;
}

export function lineColumn(text: string, offset: number): LineColumn {
  let line = 1;
  let lineStart = 0;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) {
    line++;
    lineStart = i + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** The line at the span with a caret line below it; tabs become spaces and long lines are cut around the span. */
export function caretLines(source: SourceText, span: Span): string {
  const { line, column } = lineColumn(source.text, span.start);
  const start = span.start - (column - 1);
  const newline = source.text.indexOf('\n', start);
  const end = newline < 0 ? source.text.length : newline;
  const cut = Math.max(0, column - 1 - 70);
  const shown = source.text
    .slice(start + cut, Math.min(end, start + cut + 140))
    .replaceAll('\t', ' ')
    .replace(/\r$/, '');
  const width = Math.max(1, Math.min(span.end, end) - span.start);
  const gutter = `${line} | `;
  const carets = '^'.repeat(Math.min(width, Math.max(1, shown.length - (column - 1 - cut))));
  return `${gutter}${shown}\n${' '.repeat(gutter.length + column - 1 - cut)}${carets}`;
}
