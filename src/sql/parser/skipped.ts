import type { OtherStatement } from '../ast.ts';
import { closest } from '../suggest.ts';
import type { TokenReader } from './token-reader.ts';

/** Words that say what SHOW, DESCRIBE, ... are about. */
const SUBJECTS = new Set([
  'ALL',
  'COLUMNS',
  'CONNECTOR',
  'CONNECTORS',
  'EXTENDED',
  'FUNCTION',
  'FUNCTIONS',
  'PLUGINS',
  'PROPERTIES',
  'QUERIES',
  'QUERY',
  'SCRIPT',
  'SINK',
  'SOURCE',
  'STREAMS',
  'SYSTEM',
  'TABLES',
  'TOPICS',
  'TYPES',
  'VARIABLES',
  'VIEWS',
]);

/** A statement that is known but not run here: read to its semicolon. */
export function skipStatement(r: TokenReader, from: number): Omit<OtherStatement, 'span' | 'comment'> {
  r.at = from;
  const words = [r.next().upper];
  const subject = r.peek();
  if ((words[0] === 'SHOW' || words[0] === 'LIST') && !SUBJECTS.has(subject.upper)) {
    const near = closest(subject.value, SUBJECTS);
    r.failExpected('STREAMS, TABLES, TOPICS, QUERIES, ...', near ? `did you mean ${near}?` : undefined);
  }
  while (SUBJECTS.has(r.peek().upper) && words.length < 4) words.push(r.next().upper);
  while (r.peek().kind !== 'end' && r.peek().upper !== ';') r.next();
  return { kind: 'other', command: words.join(' ') };
}
