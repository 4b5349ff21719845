import { MillraceError } from '../core/errors.ts';
import type { SourceText, Span } from '../core/span.ts';
import { lineColumn } from '../core/span.ts';

/**
 * - word: unquoted name or keyword, also one that starts with a digit (`1st_col`); `upper` is its upper-case form
 * - name: quoted identifier, `value` without quotes
 * - string, number, op: `value` is the content, the digits, the operator
 * - variable: `${name}`, `value` is the name
 * - bad: text that was reported by the lexer; the parser says nothing more about it
 */
export type TokenKind = 'word' | 'name' | 'string' | 'number' | 'op' | 'variable' | 'bad' | 'end';

export interface Token extends Span {
  readonly kind: TokenKind;
  readonly value: string;
  /** upper-case form of a word, the operator itself, else '' : what the grammar compares with */
  readonly upper: string;
}

export interface Comment extends Span {
  /** without its marks, trimmed */
  readonly text: string;
}

export interface Lexed {
  /** the last token is of kind `end` */
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
  readonly errors: readonly MillraceError[];
}

/** further errors of one text are not noted */
const MAX_ERRORS = 100;

const WORD = /[A-Za-z0-9_@]+/y;
const NUMBER = /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\r\n\f\v]+/y;
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_@]*)\}/y;
const OPERATORS = [
  '->*',
  '->',
  '=>',
  ':=',
  '::',
  '||',
  '<>',
  '!=',
  '<=',
  '>=',
  '==',
  '(',
  ')',
  '[',
  ']',
  ',',
  ';',
  '.',
  '*',
  '/',
  '%',
  '+',
  '-',
  '=',
  '<',
  '>',
];
const BY_FIRST = Map.groupBy(OPERATORS, op => op.charAt(0));
const FOREIGN_NAME = /[\p{L}\p{M}\p{N}_@]+/uy;
const CURLY_QUOTES = /[\u2018\u2019\u201c\u201d\u201a\u201e]/;
const ODD_SPACE = /[\u00a0\u2000-\u200b\u202f\u3000\ufeff]/;

/** Cuts a text into tokens. Never throws; time is linear in the text. */
export function lex(source: SourceText): Lexed {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: SourceText;
  readonly #text: string;
  readonly #tokens: Token[] = [];
  readonly #comments: Comment[] = [];
  readonly #errors: MillraceError[] = [];
  #at = 0;

  constructor(source: SourceText) {
    this.#source = source;
    this.#text = source.text;
  }

  run(): Lexed {
    const text = this.#text;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      if (c === 32 || (c >= 9 && c <= 13)) {
        this.#at += this.#match(SPACE).length;
      } else if (isWordStart(c)) {
        this.#word();
      } else if (isDigit(c) || (c === 46 && this.#startsFraction())) {
        this.#number();
      } else if (c === 39) {
        this.#quoted("'", 'string');
      } else if (c === 34 || c === 96) {
        this.#quoted(text.charAt(this.#at), 'name');
      } else if (text.startsWith('--', this.#at)) {
        this.#lineComment();
      } else if (text.startsWith('/*', this.#at)) {
        this.#blockComment();
      } else if (c === 36 && this.#match(VARIABLE) !== '') {
        const length = this.#match(VARIABLE).length;
        this.#push('variable', this.#at + length, text.slice(this.#at + 2, this.#at + length - 1));
      } else {
        this.#operator();
      }
    }
    this.#push('end', this.#at, '');
    return { tokens: this.#tokens, comments: this.#comments, errors: this.#errors };
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? '';
  }

  #push(kind: TokenKind, end: number, value: string): void {
    const upper = kind === 'word' ? value.toUpperCase() : kind === 'op' ? value : '';
    this.#tokens.push({ kind, value, upper, start: this.#at, end });
    this.#at = end;
  }

  #error(message: string, start: number, end: number, hint?: string): void {
    if (this.#errors.length >= MAX_ERRORS) return;
    this.#errors.push(
      new MillraceError('syntax_error', message, {
        place: { source: this.#source, span: { start, end } },
        hint,
      }),
    );
  }

  #word(): void {
    const word = this.#match(WORD);
    this.#push('word', this.#at + word.length, word);
  }

  /** `.5` is a number, but `t.1st` is the column of a source */
  #startsFraction(): boolean {
    const last = this.#tokens.at(-1);
    const qualified = last?.end === this.#at && (last.kind === 'word' || last.kind === 'name');
    return !qualified && isDigit(this.#text.charCodeAt(this.#at + 1));
  }

  /** digits followed by letters are a name (`1st`), unless they read as an exponent (`1e5`) */
  #number(): void {
    const number = this.#match(NUMBER);
    const word = this.#match(WORD);
    if (word.length > number.length && !number.includes('.')) this.#word();
    else if (isWordPart(this.#text.charCodeAt(this.#at + number.length))) {
      const start = this.#at;
      this.#at += number.length;
      const end = this.#at + this.#match(WORD).length;
      this.#error(`"${this.#text.slice(start, end)}" is neither a number nor a name`, start, end);
      this.#at = start;
      this.#push('bad', end, '');
    } else this.#push('number', this.#at + number.length, number);
  }

  #quoted(quote: string, kind: 'string' | 'name'): void {
    const text = this.#text;
    const start = this.#at;
    let from = start + 1;
    for (;;) {
      const close = text.indexOf(quote, from);
      if (close < 0) {
        this.#unclosed(quote, start);
        return;
      }
      if (text.charAt(close + 1) === quote) {
        from = close + 2;
        continue;
      }
      const value = text.slice(start + 1, close).replaceAll(quote + quote, quote);
      if (kind === 'name' && value === '') {
        this.#error('a quoted name is empty', start, close + 1, emptyNameHint(quote));
        this.#push('bad', close + 1, '');
      } else this.#push(kind, close + 1, value);
      return;
    }
  }

  /** What follows an unclosed quote is read again from the next line, so that later errors are still found. */
  #unclosed(quote: string, start: number): void {
    const newline = this.#text.indexOf('\n', start);
    const end = newline < 0 ? this.#text.length : newline;
    const long = this.#tokens.findLast(
      t =>
        t.end - t.start > 1 &&
        this.#text.charAt(t.start) === quote &&
        this.#text.slice(t.start, t.end).includes('\n'),
    );
    const opened = long ? lineColumn(this.#text, long.start) : null;
    this.#error(
      `this ${quote} is never closed`,
      start,
      start + 1,
      opened
        ? `the text that opens at ${opened.line}:${opened.column} spans several lines: is its closing ${quote} missing?`
        : `add the closing ${quote}; write ${quote}${quote} for a ${quote} inside`,
    );
    this.#push('bad', end, '');
  }

  #lineComment(): void {
    const newline = this.#text.indexOf('\n', this.#at);
    const end = newline < 0 ? this.#text.length : newline;
    this.#comments.push({
      start: this.#at,
      end,
      text: this.#text
        .slice(this.#at, end)
        .replace(/^-{2,}/, '')
        .trim(),
    });
    this.#at = end;
  }

  #blockComment(): void {
    const close = this.#text.indexOf('*/', this.#at + 2);
    if (close < 0) {
      this.#error('this /* is never closed', this.#at, this.#at + 2, 'add the closing */');
      this.#at = this.#text.length;
      return;
    }
    const lines = this.#text.slice(this.#at + 2, close).split('\n');
    const text = lines.map(line => line.replace(/^\s*\*+(?=\s|$)/, '').trim()).join('\n');
    this.#comments.push({ start: this.#at, end: close + 2, text: text.replace(/^\*+/, '').trim() });
    this.#at = close + 2;
  }

  #operator(): void {
    const first = this.#text.charAt(this.#at);
    const op = BY_FIRST.get(first)?.find(o => this.#text.startsWith(o, this.#at));
    if (op === '==') {
      this.#error('"==" is not an operator', this.#at, this.#at + 2, 'compare with a single =');
      this.#push('op', this.#at + 2, '=');
    } else if (op !== undefined) {
      const end = this.#at + op.length;
      this.#push('op', end, op === '!=' ? '<>' : op);
    } else if (ODD_SPACE.test(first)) {
      this.#at++;
    } else {
      const end = this.#at + String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0).length;
      const char = this.#text.slice(this.#at, end);
      if (/\p{L}/u.test(char)) this.#foreignName();
      else this.#unexpected(char, end);
    }
  }

  /** A bare name with letters beyond ASCII. */
  #foreignName(): void {
    const last = this.#tokens.at(-1);
    if (last?.kind === 'word' && last.end === this.#at) {
      this.#tokens.pop();
      this.#at = last.start;
    }
    const name = this.#match(FOREIGN_NAME);
    const end = this.#at + name.length;
    this.#error(
      `"${name}" has letters that only a quoted name may have`,
      this.#at,
      end,
      'put it in backquotes',
    );
    this.#push('bad', end, '');
  }

  /** One error for a whole run of characters that start no token. */
  #unexpected(char: string, end: number): void {
    let hint: string | undefined;
    if (CURLY_QUOTES.test(char)) hint = 'use straight quotes: \' for text, ` or " for names';
    else if (char === '&') hint = 'write AND';
    else if (char === '|') hint = 'write OR, or || to join texts';
    else if (char === '!') hint = 'write NOT';
    else if (char === '$') hint = `a variable is written \${name}`;
    const start = this.#at;
    while (end < this.#text.length && startsNothing(this.#text.charCodeAt(end))) end++;
    this.#error(`unexpected character "${char}"`, start, Math.min(end, start + 40), hint);
    this.#push('bad', end, '');
  }
}

function emptyNameHint(quote: string): string | undefined {
  return quote === '"' ? "an empty text is written ''" : undefined;
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

function isWordStart(c: number): boolean {
  return (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95;
}

function isWordPart(c: number): boolean {
  return isWordStart(c) || isDigit(c) || c === 64;
}

function startsNothing(c: number): boolean {
  if (c >= 128) return !ODD_SPACE.test(String.fromCharCode(c));
  return !(c <= 32 || isWordPart(c) || `'"\`$;()[],.*/%+-=<>:|!`.includes(String.fromCharCode(c)));
}
