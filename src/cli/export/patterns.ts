import type { Dialect } from './dialect.ts';

/** Letters of Java's patterns that the others have too. */
const LETTERS: Readonly<Record<string, readonly [duckdb: string, postgres: string]>> = {
  yyyy: ['%Y', 'YYYY'],
  uuuu: ['%Y', 'YYYY'],
  yy: ['%y', 'YY'],
  MM: ['%m', 'MM'],
  MMM: ['%b', 'Mon'],
  MMMM: ['%B', 'FMMonth'],
  dd: ['%d', 'DD'],
  HH: ['%H', 'HH24'],
  hh: ['%I', 'HH12'],
  mm: ['%M', 'MI'],
  ss: ['%S', 'SS'],
  SSS: ['%g', 'MS'],
  a: ['%p', 'AM'],
};

/** A pattern of Java's in the words of the dialect, or null when something in it has no counterpart. */
export function patternText(java: string, dialect: Dialect): string | null {
  if (dialect === 'flink') return java;
  const parts: string[] = [];
  for (const [part] of java.matchAll(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    if (part.startsWith("'")) {
      const text = part === "''" ? "'" : part.slice(1, -1).replaceAll("''", "'");
      parts.push(dialect === 'duckdb' ? text.replaceAll('%', '%%') : `"${text.replaceAll('"', '\\"')}"`);
    } else if (/^[A-Za-z]/.test(part)) {
      const there = Object.hasOwn(LETTERS, part) ? LETTERS[part] : undefined;
      if (there === undefined) return null;
      parts.push(dialect === 'duckdb' ? there[0] : there[1]);
    } else {
      parts.push(dialect === 'duckdb' ? part.replaceAll('%', '%%') : part);
    }
  }
  return parts.join('');
}
