import { MillraceError, MillraceErrors } from '../core/errors.ts';
import type { SourceText } from '../core/span.ts';
import type { Expression, Statement, TypeName } from './ast.ts';
import type { Comment, Lexed, Token } from './lexer.ts';
import { lex } from './lexer.ts';
import { parseExpression } from './parser/expressions.ts';
import { STATEMENT_STARTERS } from './parser/keywords.ts';
import { continueQuery, parseQuery } from './parser/queries.ts';
import { parseStatement } from './parser/statements.ts';
import type { Rules } from './parser/token-reader.ts';
import { MAX_ERRORS, Reported, spanOf, TokenReader, tokenText } from './parser/token-reader.ts';
import { parseTypeName } from './parser/type-names.ts';
import { substitute } from './parser/variables.ts';

/** Longest text that is parsed, in UTF-16 units. */
const MAX_SQL_LENGTH = 1 << 20;

const RULES: Rules = { expression: r => parseExpression(r), query: parseQuery, continueQuery };

export interface ParseOptions {
  /** variables that are defined before the text, by name */
  readonly variables?: ReadonlyMap<string, string>;
}

export interface Parsed {
  /** the statements without errors, in order */
  readonly statements: readonly Statement[];
  /** in the order of their places; never more than 100 */
  readonly errors: readonly MillraceError[];
}

/** Parses a text of statements. Never throws for any text: what is wrong stands in `errors`. */
export function parseStatements(source: SourceText, options: ParseOptions = {}): Parsed {
  if (source.text.length > MAX_SQL_LENGTH) return { statements: [], errors: [tooLong(source)] };
  const lexed = lex(source);
  const parser = new StatementParser(source, lexed, options.variables ?? new Map());
  return parser.run();
}

/** Parses a text that is one expression. @throws MillraceErrors */
export function parseExpressionText(source: SourceText): Expression {
  return parseWhole(source, RULES.expression);
}

/** Parses a text that is one type, `ARRAY<DECIMAL(10, 2)>`. @throws MillraceErrors */
export function parseTypeText(source: SourceText): TypeName {
  return parseWhole(source, r => parseTypeName(r));
}

function parseWhole<T>(source: SourceText, rule: (r: TokenReader) => T): T {
  if (source.text.length > MAX_SQL_LENGTH) throw new MillraceErrors([tooLong(source)]);
  const lexed = lex(source);
  const reader = new TokenReader(source, lexed.tokens, RULES);
  let result: T | undefined;
  try {
    result = rule(reader);
    if (reader.peek().kind !== 'end') reader.failExpected('the end of the text');
  } catch (error) {
    noteThrown(error, reader.errors);
  }
  const errors = inOrder([...lexed.errors, ...reader.errors]);
  if (errors.length > 0 || result === undefined) throw new MillraceErrors(errors);
  return result;
}

class StatementParser {
  readonly #source: SourceText;
  readonly #lexed: Lexed;
  readonly #variables: Map<string, string>;
  readonly #statements: Statement[] = [];
  readonly #errors: MillraceError[] = [];
  #comment = 0;

  constructor(source: SourceText, lexed: Lexed, variables: ReadonlyMap<string, string>) {
    this.#source = source;
    this.#lexed = lexed;
    this.#variables = new Map([...variables].map(([name, value]) => [name.toUpperCase(), value]));
  }

  run(): Parsed {
    const { tokens } = this.#lexed;
    let from = 0;
    while (from < tokens.length && this.#errors.length < MAX_ERRORS) {
      let to = from;
      while (to < tokens.length - 1 && tokens[to]?.upper !== ';') to++;
      this.#slice(tokens.slice(from, to + 1), from);
      from = to + 1;
    }
    const errors = inOrder([...this.#lexed.errors, ...this.#errors]);
    return { statements: this.#statements, errors: errors.slice(0, MAX_ERRORS) };
  }

  /** What stands between two semicolons: one statement, or more where semicolons are missing. */
  #slice(raw: readonly Token[], from: number): void {
    if (raw.length < 2) return;
    const before = this.#errors.length;
    const tokens = substitute(this.#source, raw, this.#variables, this.#errors);
    const reader = new TokenReader(this.#source, tokens, RULES);
    const previous = this.#lexed.tokens[from - 1];
    while (reader.at < tokens.length - 1 && this.#errors.length + reader.errors.length < MAX_ERRORS) {
      const statement = this.#statement(reader, reader.at === 0 ? (previous?.end ?? 0) : reader.peek().start);
      const failed = this.#errors.length > before || reader.errors.length > 0 || this.#isDamaged(raw);
      if (statement !== null && !failed) this.#accept(statement);
    }
    this.#errors.push(...reader.errors);
  }

  #statement(reader: TokenReader, previousEnd: number): Statement | null {
    try {
      reader.height = 0;
      const statement = parseStatement(reader, this.#commentBefore(previousEnd, reader.peek().start));
      const next = reader.peek();
      if (next.upper === ';' || next.kind === 'end') return statement;
      if (next.upper === ')' || next.upper === ']')
        reader.fail(`this "${next.value}" closes nothing`, spanOf(next));
      if (next.upper === 'WITH' && reader.peek(1).upper === '(') {
        reader.fail('WITH (...) is in the wrong place', spanOf(next), 'it stands before AS SELECT');
      }
      if (!STATEMENT_STARTERS.has(next.upper)) reader.failUnexpected('the end of the statement');
      reader.note(
        `expected ";" before ${tokenText(next)}`,
        spanOf(next),
        'end every statement with a semicolon',
      );
      return statement;
    } catch (error) {
      noteThrown(error, reader.errors);
      this.#skipDamage(reader);
      return null;
    }
  }

  /** On to the next semicolon, or to a line that begins with CREATE, INSERT or DROP. */
  #skipDamage(reader: TokenReader): void {
    if (reader.peek().upper !== ';') reader.next();
    for (; ; reader.next()) {
      const token = reader.peek();
      if (token.kind === 'end' || token.upper === ';') break;
      const newLine = /\n[ \t]*$/.test(this.#source.text.slice(Math.max(0, token.start - 80), token.start));
      if (newLine && ['CREATE', 'INSERT', 'DROP'].includes(token.upper)) break;
    }
  }

  #isDamaged(raw: readonly Token[]): boolean {
    const start = raw[0]?.start ?? 0;
    const end = raw.at(-1)?.end ?? 0;
    return this.#lexed.errors.some(e => e.place && e.place.span.start >= start && e.place.span.start < end);
  }

  #accept(statement: Statement): void {
    this.#statements.push(statement);
    if (statement.kind === 'define') this.#variables.set(statement.name.name.toUpperCase(), statement.value);
    if (statement.kind === 'undefine') this.#variables.delete(statement.name.name.toUpperCase());
  }

  /** The last block of comments between two places; a comment that ends the line of the statement before is not ours. */
  #commentBefore(from: number, to: number): string {
    const { comments } = this.#lexed;
    const found: Comment[] = [];
    while ((comments[this.#comment]?.end ?? Number.POSITIVE_INFINITY) <= to) {
      const comment = comments[this.#comment++];
      if (comment && comment.start >= from) found.push(comment);
    }
    const { text } = this.#source;
    const block: Comment[] = [];
    for (const comment of found) {
      if (from > 0 && !text.slice(from, comment.start).includes('\n')) continue;
      const last = block.at(-1);
      if (last && /\n[ \t\r]*\n/.test(text.slice(last.end, comment.start))) block.length = 0;
      block.push(comment);
    }
    return block
      .map(c => c.text)
      .join('\n')
      .trim();
  }
}

function noteThrown(error: unknown, errors: MillraceError[]): void {
  if (error instanceof MillraceError) errors.push(error);
  else if (!(error instanceof Reported)) throw error;
}

/** By place; of several at one place only the first. */
function inOrder(errors: readonly MillraceError[]): MillraceError[] {
  const at = (e: MillraceError) => e.place?.span.start ?? 0;
  const sorted = errors.toSorted((a, b) => at(a) - at(b));
  return sorted.filter((e, i) => i === 0 || at(e) !== at(sorted[i - 1] ?? e));
}

function tooLong(source: SourceText): MillraceError {
  return new MillraceError('limit_exceeded', `the text has more than ${MAX_SQL_LENGTH} characters`, {
    place: { source, span: { start: 0, end: 1 } },
    hint: 'split it into several files',
  });
}
