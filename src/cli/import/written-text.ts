import type { SourceText, Span } from '../../core/span.ts';
import type { Statement } from '../../sql/ast.ts';
import { type Comment, type Lexed, lex, type Token } from '../../sql/lexer.ts';
import { parseStatements } from '../../sql/parse.ts';
import { printStatement } from '../../sql/print.ts';

/** Variables of DEFINE by upper-case name. */
export type Values = ReadonlyMap<string, string>;

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_@]*)\}/g;

/** Cuts statements out of a script as they were written. */
export class WrittenText {
  readonly #source: SourceText;
  readonly #lexed: Lexed;

  constructor(source: SourceText) {
    this.#source = source;
    this.#lexed = lex(source);
  }

  /** All comments between the statement before and this one, or ''. */
  commentsBefore(statement: Statement): string {
    const { start } = statement.span;
    const before = this.#lexed.tokens[firstFrom(this.#lexed.tokens, start) - 1];
    return this.#source.text.slice(before ? this.#endOfLine(before.end) : 0, start).trim();
  }

  /** The statement with its semicolon and the comment that ends its line, with the values in place of the variables. */
  statement(statement: Statement, values: Values): string {
    const { span } = statement;
    const next = this.#lexed.tokens[firstFrom(this.#lexed.tokens, span.end)];
    const semicolon = next?.upper === ';' ? next : undefined;
    const end = semicolon?.end ?? this.#source.text.length;
    const inside = this.#source.text.slice(span.end, semicolon?.start ?? end).trimEnd();
    const after = semicolon ? this.#source.text.slice(end, this.#endOfLine(end)).trimEnd() : '';
    const body = this.#replaced(span, values);
    // a comment between the statement and its semicolon ends with its line
    const written = `${body}${inside}${inside.includes('--') ? '\n' : ''};`;
    return (this.#means(written, statement) ? written : `${printStatement(statement)};`) + after;
  }

  /** Where the comments end that stand on the same line behind a semicolon. */
  #endOfLine(from: number): number {
    const { text } = this.#source;
    let end = from;
    const { comments } = this.#lexed;
    for (let i = firstFrom(comments, from); i < comments.length; i++) {
      const comment = comments[i] as Comment;
      if (text.slice(end, comment.start).trim() !== '' || text.slice(end, comment.start).includes('\n'))
        break;
      end = comment.end;
    }
    return end;
  }

  #replaced(span: Span, values: Values): string {
    const { text } = this.#source;
    const parts: string[] = [];
    let at = span.start;
    const { tokens } = this.#lexed;
    for (let i = firstFrom(tokens, span.start); i < tokens.length; i++) {
      const token = tokens[i] as Token;
      if (token.start >= span.end) break;
      const value = replacement(token, text.slice(token.start, token.end), values);
      if (value === null) continue;
      parts.push(text.slice(at, token.start), value);
      at = token.end;
    }
    return parts.join('') + text.slice(at, span.end);
  }

  /** The text must say what the script said; else the printed tree is taken. */
  #means(text: string, statement: Statement): boolean {
    const { statements, errors } = parseStatements({ file: this.#source.file, text });
    const [only] = statements;
    if (errors.length > 0 || statements.length !== 1 || only === undefined) return false;
    return printStatement(only) === printStatement(statement);
  }
}

/** Index of the first of sorted spans that begins at `offset` or later. */
function firstFrom(spans: readonly Span[], offset: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span).start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function replacement(token: Token, written: string, values: Values): string | null {
  if (token.kind === 'variable') return values.get(token.value.toUpperCase()) ?? null;
  if (token.kind !== 'string' && token.kind !== 'name') return null;
  const quote = written.charAt(0);
  const value = written.replace(REFERENCE, (all, name: string) => {
    const found = values.get(name.toUpperCase());
    return found === undefined ? all : found.replaceAll(quote, quote + quote);
  });
  return value === written ? null : value;
}
