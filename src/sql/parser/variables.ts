import { MillraceError } from '../../core/errors.ts';
import type { SourceText } from '../../core/span.ts';
import type { Token } from '../lexer.ts';
import { lex } from '../lexer.ts';
import { closest } from '../suggest.ts';

/** Variables of DEFINE by upper-case name. */
export type Variables = ReadonlyMap<string, string>;

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_@]*)\}/g;
const LONGEST = 1 << 16;

/**
 * Puts the values of `${name}` in place of the references. Outside of quotes a value must be one name, number or text,
 * so that it cannot change the shape of the statement. The new tokens keep the place of the reference.
 */
export function substitute(
  source: SourceText,
  tokens: readonly Token[],
  variables: Variables,
  errors: MillraceError[],
): readonly Token[] {
  if (!tokens.some(t => t.kind === 'variable' || t.value.includes('${'))) return tokens;
  return tokens.flatMap(token => {
    if (token.kind === 'string' || token.kind === 'name') return [inText(token, variables)];
    return token.kind === 'variable' ? inCode(source, token, variables, errors) : [token];
  });
}

function inText(token: Token, variables: Variables): Token {
  const value = token.value.replace(
    REFERENCE,
    (all, name: string) => variables.get(name.toUpperCase()) ?? all,
  );
  return value === token.value || value.length > LONGEST ? token : { ...token, value };
}

function inCode(source: SourceText, token: Token, variables: Variables, errors: MillraceError[]): Token[] {
  const place = { source, span: { start: token.start, end: token.end } };
  const value = variables.get(token.value.toUpperCase());
  const bad: Token = { ...token, kind: 'bad', value: '', upper: '' };
  if (value === undefined) {
    const near = closest(token.value, variables.keys());
    const hint = near
      ? `did you mean \${${near.toLowerCase()}}?`
      : `write DEFINE ${token.value} = '...' before it`;
    errors.push(new MillraceError('syntax_error', `unknown variable "${token.value}"`, { place, hint }));
    return [bad];
  }
  const lexed = lex({ file: source.file, text: value });
  const parts = lexed.tokens.slice(0, -1);
  const sign = parts.length === 2 && (parts[0]?.upper === '-' || parts[0]?.upper === '+');
  const last = parts.at(-1);
  const single = (parts.length === 1 || (sign && last?.kind === 'number')) && lexed.comments.length === 0;
  if (
    !single ||
    lexed.errors.length > 0 ||
    last === undefined ||
    last.kind === 'op' ||
    last.kind === 'variable'
  ) {
    const message = `the value of "${token.value}" is not one name, number or text`;
    const hint = "a text needs its own quotes: DEFINE name = '''text'''";
    errors.push(new MillraceError('syntax_error', message, { place, hint }));
    return [bad];
  }
  return parts.map(part => ({ ...part, start: token.start, end: token.end }));
}
