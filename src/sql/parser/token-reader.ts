import type { ErrorCode } from '../../core/errors.ts';
import { MillraceError } from '../../core/errors.ts';
import type { SourceText, Span } from '../../core/span.ts';
import { lineColumn } from '../../core/span.ts';
import type { Expression, Identifier, Query } from '../ast.ts';
import type { Token } from '../lexer.ts';
import { closest } from '../suggest.ts';
import { CLAUSE_STARTS, HARD_STARTERS, KEYWORDS, misspeltClause, RESERVED } from './keywords.ts';

/** Nesting that the parser follows; keeps every recursion over a tree far from the end of the stack. */
const MAX_NESTING = 300;
/** Height of one expression's tree, which a long chain of operators reaches without nesting. */
const MAX_HEIGHT = 1500;
/** Errors that one text shows at most. */
export const MAX_ERRORS = 100;

/** The rules that call each other across files. */
export interface Rules {
  expression(reader: TokenReader): Expression;
  query(reader: TokenReader): Query;
  /** what may follow a parenthesised query: `(SELECT ..) UNION ..`; the query itself when nothing does */
  continueQuery(reader: TokenReader, first: Query, start: Span): Query;
}

/**
 * Walks over the tokens of one statement (`from` to its semicolon) and collects errors. A rule that cannot go on throws
 * what {@link fail} made; {@link list} and the statement loop catch it, note it and read on behind the damage.
 */
export class TokenReader {
  readonly source: SourceText;
  readonly rules: Rules;
  readonly tokens: readonly Token[];
  readonly errors: MillraceError[] = [];
  /** index of the next token */
  at = 0;
  /** height of the tallest expression read since it was last set; see `expression` */
  height = 0;
  #nesting = 0;
  /** tokens that open what is being read: for "opened here" hints */
  readonly #open: Token[] = [];

  constructor(source: SourceText, tokens: readonly Token[], rules: Rules) {
    this.source = source;
    this.tokens = tokens;
    this.rules = rules;
  }

  peek(ahead = 0): Token {
    const token = this.tokens[this.at + ahead] ?? this.tokens.at(-1);
    if (!token) throw new RangeError('a token list always ends in an end token');
    return token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.at++;
    return token;
  }

  /** Is the next token one of these keywords or operators? */
  is(...words: readonly string[]): boolean {
    return words.includes(this.peek().upper);
  }

  /** Are the next tokens exactly these? */
  ahead(...words: readonly string[]): boolean {
    return words.every((word, i) => this.peek(i).upper === word);
  }

  /** Takes all of these words, or none. */
  accept(...words: readonly string[]): boolean {
    if (!this.ahead(...words)) return false;
    this.at += words.length;
    return true;
  }

  /** @param where said after the expectation: `after "amount"` is found by itself when left out */
  expect(word: string, hint?: string): Token {
    if (this.peek().upper === word) return this.next();
    return this.failExpected(/^[A-Z]/.test(word) ? word : `"${word}"`, hint);
  }

  spanFrom(start: Span): Span {
    const last = this.tokens[this.at - 1];
    return { start: start.start, end: Math.max(start.end, last?.end ?? start.end) };
  }

  // ------------------------------------------------------------ names

  isIdentifier(ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'name' || (token.kind === 'word' && !RESERVED.has(token.upper));
  }

  /** @param what in the reader's words: `a column name` */
  identifier(what: string): Identifier {
    const token = this.peek();
    if (this.isIdentifier()) return identifierOf(this.next());
    const hint =
      token.kind === 'word'
        ? `"${token.value}" is a keyword here: put it in backquotes to use it as a name`
        : token.kind === 'string'
          ? 'single quotes are for text: names stand bare or in backquotes'
          : undefined;
    return this.failExpected(what, hint);
  }

  string(what: string): { readonly value: string; readonly span: Span } {
    const token = this.peek();
    if (token.kind !== 'string') {
      return this.failExpected(what, token.kind === 'name' ? 'text stands in single quotes' : undefined);
    }
    this.next();
    return { value: token.value, span: spanOf(token) };
  }

  // ------------------------------------------------------------ errors

  /** Notes an error without stopping. */
  note(message: string, span: Span, hint?: string, code: ErrorCode = 'syntax_error'): void {
    this.errors.push(this.error(message, span, hint, code));
  }

  error(message: string, span: Span, hint?: string, code: ErrorCode = 'syntax_error'): MillraceError {
    const place = { source: this.source, span: { start: span.start, end: span.end } };
    return new MillraceError(code, message, { place, hint });
  }

  fail(message: string, span: Span, hint?: string): never {
    throw this.error(message, span, hint);
  }

  /** `expected <what> after <last token>, found <next token>` */
  failExpected(what: string, hint?: string): never {
    const found = this.peek();
    if (found.kind === 'bad') throw new Reported();
    const last = this.tokens[this.at - 1];
    const after = last ? ` after ${tokenText(last)}` : '';
    throw this.error(
      `expected ${what}${after}, found ${tokenText(found)}`,
      found,
      hint ?? this.#guess(found, what),
    );
  }

  #guess(found: Token, what: string): string | undefined {
    const last = this.tokens[this.at - 1];
    if (last?.kind === 'string' && last.value.includes('\n')) {
      const at = lineColumn(this.source.text, last.start);
      return `the text that opens at ${at.line}:${at.column} spans several lines: is its closing ' missing?`;
    }
    if (found.kind === 'name' && this.source.text.charAt(found.start) === '"') {
      return `text stands in single quotes: '${found.value}'`;
    }
    if (found.kind === 'word') {
      const wanted = /^[A-Z]+$/.test(what) ? [what] : KEYWORDS;
      const near = KEYWORDS.has(found.upper) ? null : closest(found.value, wanted);
      if (near !== null && near.length > 2) return `did you mean ${near}?`;
    }
    const open = this.#open.at(-1);
    if (open && (found.kind === 'end' || found.upper === ';' || HARD_STARTERS.has(found.upper))) {
      const at = lineColumn(this.source.text, open.start);
      return `the "${open.value}" opened at ${at.line}:${at.column} is not closed`;
    }
    return undefined;
  }

  /** One more operator on the expression that is being read. */
  grow(): void {
    this.height++;
    if (this.height <= MAX_HEIGHT) return;
    const hint = 'name parts of it in subqueries or views of their own';
    throw this.error(`a chain of more than ${MAX_HEIGHT} operators`, this.peek(), hint, 'limit_exceeded');
  }

  /** Runs a rule one level deeper; past the limit the statement is refused. */
  nested<T>(rule: () => T): T {
    if (this.#nesting >= MAX_NESTING) {
      throw this.error(
        `nested more than ${MAX_NESTING} levels deep`,
        this.peek(),
        'name parts of it in subqueries or views of their own',
        'limit_exceeded',
      );
    }
    this.#nesting++;
    try {
      return rule();
    } finally {
      this.#nesting--;
    }
  }

  // ------------------------------------------------------------ lists

  /** `open rule close`: when `close` is missing, the error names the place of `open`. */
  enclosed<T>(open: string, close: string, rule: () => T): T {
    const token = this.expect(open);
    this.#open.push(token);
    try {
      const result = rule();
      if (!this.is(close)) this.#missingClose(token, close);
      this.next();
      return result;
    } finally {
      this.#open.pop();
    }
  }

  #missingClose(open: Token, close: string): never {
    const found = this.peek();
    const at = lineColumn(this.source.text, open.start);
    const ended =
      found.kind === 'end' || found.upper === ';' || found.upper === 'AS' || CLAUSE_STARTS.has(found.upper);
    const hint =
      startsOperand(found) && close === ')' ? 'is a comma or an operator missing before it?' : undefined;
    return this.failExpected(
      `"${close}"`,
      ended ? `the "${open.value}" opened at ${at.line}:${at.column} is not closed` : hint,
    );
  }

  /**
   * One or more `rule`, with commas between. An item that fails is noted and skipped up to the next comma or the end of
   * the enclosing parenthesis, so that one list can show several errors.
   */
  list<T>(rule: () => T, isEnd: () => boolean): T[] {
    const items: T[] = [];
    for (;;) {
      const start = this.at;
      try {
        items.push(rule());
        this.#itemEnd(isEnd, start);
      } catch (error) {
        this.#recover(error, isEnd, start);
      }
      if (!this.accept(',')) return items;
      if (isEnd()) {
        const comma = this.tokens[this.at - 1] ?? this.peek();
        this.note(
          `nothing follows this comma but ${tokenText(this.peek())}`,
          comma,
          'remove the trailing comma',
        );
        return items;
      }
    }
  }

  /** Says that what follows does not belong here; blames the word before it when that is a misspelt keyword. */
  failUnexpected(what: string, hint?: string): never {
    const last = this.tokens[this.at - 1];
    const near = last?.kind === 'word' && this.peek().kind !== 'end' ? misspeltClause(last) : null;
    if (last && near !== null) this.fail(`unexpected ${tokenText(last)}`, last, `did you mean ${near}?`);
    return this.failExpected(what, this.#guess(this.peek(), what) ?? hint);
  }

  /** A new item straight behind the last one: a comma is missing. */
  #itemEnd(isEnd: () => boolean, start: number): void {
    const token = this.peek();
    if (token.upper === ',' || isEnd() || token.kind === 'end' || token.upper === ';') return;
    if (CLAUSE_STARTS.has(token.upper)) return;
    const last = this.tokens[this.at - 1];
    if (this.at > start && last && startsOperand(token) && !HARD_STARTERS.has(token.upper)) {
      this.failUnexpected('","', `put a comma between ${tokenText(last)} and ${tokenText(token)}`);
    }
  }

  #recover(error: unknown, isEnd: () => boolean, start: number): void {
    if (!(error instanceof Reported) && !(error instanceof MillraceError)) throw error;
    if (error instanceof MillraceError && error.code === 'limit_exceeded') throw error;
    if (this.errors.length >= MAX_ERRORS) throw error;
    this.at = start;
    let depth = 0;
    for (;;) {
      const token = this.peek();
      if (token.kind === 'end' || token.upper === ';') throw error;
      if (depth === 0 && this.at > start && HARD_STARTERS.has(token.upper)) throw error;
      if (token.upper === '(' || token.upper === '[') depth++;
      else if (depth === 0 && (token.upper === ',' || isEnd())) break;
      else if (token.upper === ')' || token.upper === ']') depth--;
      if (depth < 0) throw error;
      this.next();
    }
    if (error instanceof MillraceError) this.errors.push(error);
  }
}

/** Thrown in place of an error when the lexer already reported the text that stopped the rule. */
export class Reported extends Error {}

export function spanOf(token: Span): Span {
  return { start: token.start, end: token.end };
}

export function identifierOf(token: Token): Identifier {
  return { name: token.value, quoted: token.kind === 'name', span: spanOf(token) };
}

/** A token as an error message shows it. */
export function tokenText(token: Token): string {
  if (token.kind === 'end') return 'the end of the text';
  if (token.kind === 'string') return `'${shorten(token.value)}'`;
  return `"${shorten(token.value)}"`;
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 30 ? `${line.slice(0, 29)}…` : line;
}

function startsOperand(token: Token): boolean {
  return token.kind === 'string' || token.kind === 'number' || token.kind === 'name' || token.kind === 'word';
}
