/**
 * Java's regular expressions, which KSQL users write, as JavaScript's. Most of the syntax is shared; what differs is
 * rewritten where that is exact (\Q..\E, \A, \z, \h, \s as ASCII, POSIX classes, flags in front) and refused where it is
 * not (possessive repetition, atomic groups, class intersection).
 */
export type JavaRegExp = { readonly regexp: RegExp; readonly groups: number } | { readonly problem: string };

const compiled = new Map<string, JavaRegExp>();
const MAX_COMPILED = 500;
const MAX_PATTERN = 10_000;

/** The pattern with the flag `g`. Compiled patterns are kept. */
export function javaRegExp(pattern: string): JavaRegExp {
  let result = compiled.get(pattern);
  if (!result) {
    result = compile(pattern);
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(pattern, result);
  }
  return result;
}

function compile(pattern: string): JavaRegExp {
  const shown = pattern.length > 60 ? `${pattern.slice(0, 60)}...` : pattern;
  if (pattern.length > MAX_PATTERN)
    return { problem: `the regular expression is longer than ${MAX_PATTERN}` };
  const translated = translate(pattern);
  if ('problem' in translated) return { problem: `regular expression "${shown}": ${translated.problem}` };
  const { source, flags } = translated;
  // Without the flag u, JavaScript takes escapes and braces that it would else refuse, as Java does.
  for (const unicode of ['u', '']) {
    try {
      const regexp = new RegExp(source, `g${flags}${unicode}`);
      return { regexp, groups: (new RegExp(`${source}|`, `${flags}${unicode}`).exec('')?.length ?? 1) - 1 };
    } catch {
      if (/\\[pP]\{/.test(source)) break;
    }
  }
  return { problem: `"${shown}" is not a regular expression` };
}

const POSIX: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Lower: 'a-z',
    Upper: 'A-Z',
    Alpha: 'A-Za-z',
    Digit: '0-9',
    Alnum: 'A-Za-z0-9',
    ASCII: '\\x00-\\x7f',
    Punct: '!-\\/:-@\\[-`{-~',
    Graph: '!-~',
    Print: ' -~',
    Blank: ' \\t',
    Cntrl: '\\x00-\\x1f\\x7f',
    XDigit: '0-9A-Fa-f',
    Space: '\\t-\\r ',
  }),
);

/** Escapes as the inside of a character class, and what JavaScript has outside of one. */
const CLASSES: Readonly<Record<string, string>> = {
  s: '\\t-\\r ',
  h: ' \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000',
};
const OUTSIDE: Readonly<Record<string, string>> = {
  A: '(?<![\\s\\S])',
  z: '(?![\\s\\S])',
  Z: '(?=\\n?(?![\\s\\S]))',
  R: '(?:\\r\\n|[\\n-\\r\\x85\\u2028\\u2029])',
  e: '\\x1b',
  a: '\\x07',
};
const FLAGS: Readonly<Record<string, string>> = { i: 'i', m: 'm', s: 's', u: '' };

function translate(
  pattern: string,
): { readonly source: string; readonly flags: string } | { readonly problem: string } {
  let flags = '';
  let body = pattern;
  const leading = /^\(\?([a-z]+)\)/.exec(pattern);
  if (leading) {
    for (const flag of leading[1] ?? '') {
      const ours = FLAGS[flag];
      if (ours === undefined) return { problem: `the flag ${flag} is not supported` };
      if (!flags.includes(ours)) flags += ours;
    }
    body = pattern.slice(leading[0].length);
  }
  let source = '';
  let inClass = false;
  for (let i = 0; i < body.length; ) {
    const rest = body.slice(i, i + 40);
    if (body[i] === '\\') {
      const step = rewriteEscape(body, i, inClass);
      if ('problem' in step) return step;
      source += step.text;
      i = step.next;
      continue;
    }
    const problem = inClass ? classProblem(rest) : outsideProblem(rest);
    if (problem) return { problem };
    if (body[i] === '[' && !inClass) {
      inClass = true;
      // Java and JavaScript read [] and [^]x] differently; a leading ] is a literal in Java
      const opening = /^\[\^?\]?/.exec(rest)?.[0] ?? '[';
      source += opening.endsWith(']') ? `${opening.slice(0, -1)}\\]` : opening;
      i += opening.length;
      continue;
    }
    if (body[i] === ']') inClass = false;
    source += body[i];
    i++;
  }
  return { source, flags };
}

function classProblem(rest: string): string | null {
  if (rest.startsWith('&&')) return 'intersections of character classes are not supported';
  return rest.startsWith('[') ? 'character classes within character classes are not supported' : null;
}

function outsideProblem(rest: string): string | null {
  if (/^(?:[*+?]|\{\d+(?:,\d*)?\})\+/.test(rest)) return 'possessive repetitions are not supported';
  if (rest.startsWith('(?>')) return 'atomic groups are not supported';
  return /^\(\?[a-z-]+\)/.test(rest) ? 'flags can stand only in front' : null;
}

type Rewritten = { readonly text: string; readonly next: number } | { readonly problem: string };

function rewriteEscape(body: string, at: number, inClass: boolean): Rewritten {
  const c = body[at + 1];
  if (c === undefined) return { problem: 'it ends with a backslash' };
  if (c === 'Q') {
    const end = body.indexOf('\\E', at + 2);
    const quoted = end < 0 ? body.slice(at + 2) : body.slice(at + 2, end);
    return { text: quoted.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), next: end < 0 ? body.length : end + 2 };
  }
  if (c === 'p' || c === 'P') return rewriteProperty(body, at, inClass);
  if (c === 'G' || c === 'X') return { problem: `\\${c} is not supported` };
  const set = CLASSES[c.toLowerCase()];
  if (set !== undefined) {
    const negated = c !== c.toLowerCase();
    if (!inClass) return { text: `[${negated ? '^' : ''}${set}]`, next: at + 2 };
    if (!negated) return { text: set, next: at + 2 };
  }
  const outside = OUTSIDE[c];
  if (outside !== undefined && (!inClass || c === 'e' || c === 'a')) return { text: outside, next: at + 2 };
  // A character that needs no escape in JavaScript may not have one under the flag u.
  if (/[^A-Za-z0-9^$\\.*+?()[\]{}|/-]/.test(c)) return { text: c, next: at + 2 };
  return { text: c === '-' && !inClass ? '-' : `\\${c}`, next: at + 2 };
}

/** `\p{Alpha}` of POSIX as a set; Unicode properties stay. */
function rewriteProperty(body: string, at: number, inClass: boolean): Rewritten {
  const letter = body[at + 1] ?? 'p';
  const name = /^\{(?:Is)?([A-Za-z]+)\}/.exec(body.slice(at + 2, at + 60));
  if (!name) return { text: `\\${letter}{${body[at + 2] ?? ''}}`, next: at + 3 };
  const next = at + 2 + name[0].length;
  const set = POSIX.get(name[1] ?? '');
  if (set === undefined) return { text: `\\${letter}{${name[1]}}`, next };
  if (!inClass) return { text: `[${letter === 'P' ? '^' : ''}${set}]`, next };
  return letter === 'p' ? { text: set, next } : { problem: `\\P{${name[1]}} cannot stand in a class` };
}
