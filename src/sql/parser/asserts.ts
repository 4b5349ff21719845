import type { AssertStatement } from '../ast.ts';
import { parseColumns, parseProperties, parseResourceName } from './definitions.ts';
import { parseDuration } from './durations.ts';
import { parseRow } from './queries.ts';
import { parseNames } from './relations.ts';
import type { TokenReader } from './token-reader.ts';
import { spanOf } from './token-reader.ts';

type Assert = Omit<AssertStatement, 'span' | 'comment'>;

const NOTHING = {
  kind: 'assert',
  target: null,
  not: false,
  columns: [],
  values: [],
  definition: [],
  properties: [],
  timeout: null,
} as const;

export function parseAssert(r: TokenReader): Assert {
  r.expect('ASSERT');
  if (r.accept('VALUES')) return parseAssertValues(r, 'values', 'VALUES');
  if (r.accept('NULL')) {
    r.expect('VALUES');
    return parseAssertValues(r, 'nullValues', 'KEY');
  }
  if (r.is('STREAM', 'TABLE')) {
    const what = r.next().upper === 'STREAM' ? 'stream' : 'table';
    const target = r.identifier(`the name of the ${what}`);
    const definition = r.is('(') ? parseColumns(r) : [];
    return { ...NOTHING, what, target, definition, properties: parseProperties(r) };
  }
  const not = r.accept('NOT');
  if (not) r.expect('EXISTS');
  if (r.accept('TOPIC')) {
    const target = parseResourceName(r, 'the name of a topic');
    const properties = parseProperties(r);
    return { ...NOTHING, what: 'topic', not, target, properties, timeout: parseTimeout(r) };
  }
  if (r.accept('SCHEMA')) {
    const target = r.accept('SUBJECT') ? parseResourceName(r, 'the name of a subject') : null;
    const values = r.accept('ID') ? [r.rules.expression(r)] : [];
    return { ...NOTHING, what: 'schema', not, target, values, timeout: parseTimeout(r) };
  }
  return r.failExpected('VALUES, NULL VALUES, STREAM, TABLE, TOPIC or SCHEMA');
}

/** `ASSERT VALUES t (a, b) VALUES (1, 2)`, `ASSERT NULL VALUES t (a) KEY (1)` */
function parseAssertValues(r: TokenReader, what: 'values' | 'nullValues', word: string): Assert {
  const target = r.identifier('the name of a stream, table or view');
  const columns = r.is('(') ? parseNames(r, 'a column name') : [];
  r.expect(word);
  return { ...NOTHING, what, target, columns, values: parseRow(r) };
}

function parseTimeout(r: TokenReader): number | null {
  return r.accept('TIMEOUT') ? parseDuration(r) : null;
}

/** `ADVANCE CLOCK TO '2024-01-31T00:00:00Z'`: an extension of the test syntax. */
export function parseAdvanceClock(r: TokenReader): Assert {
  r.expect('ADVANCE');
  r.expect('CLOCK');
  r.expect('TO');
  const token = r.peek();
  const { value } = r.string("a time like '2024-01-31T12:00:00Z'");
  return { ...NOTHING, what: 'clock', values: [{ kind: 'string', value, span: spanOf(token) }] };
}
