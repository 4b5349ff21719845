import type {
  DefineStatement,
  ExplainStatement,
  InsertInto,
  InsertValues,
  SetProperty,
  Statement,
  UndefineStatement,
  UnsetProperty,
} from '../ast.ts';
import { closest } from '../suggest.ts';
import { parseAdvanceClock, parseAssert } from './asserts.ts';
import { parseAlter, parseCreate, parseDrop } from './create.ts';
import { parseProperties } from './definitions.ts';
import { STATEMENT_STARTERS } from './keywords.ts';
import { parseRows } from './queries.ts';
import { parseNames } from './relations.ts';
import { skipStatement } from './skipped.ts';
import type { TokenReader } from './token-reader.ts';

type Bare<T> = T extends unknown ? Omit<T, 'span' | 'comment'> : never;

/** One statement without its semicolon. */
export function parseStatement(r: TokenReader, comment: string): Statement {
  return r.nested(() => {
    const start = r.peek();
    const statement = parseBare(r);
    return { ...statement, comment, span: r.spanFrom(start) };
  });
}

function parseBare(r: TokenReader): Bare<Statement> {
  const token = r.peek();
  switch (token.upper) {
    case 'SELECT':
    case 'WITH':
    case 'VALUES':
    case '(':
      return { kind: 'select', query: r.rules.query(r) };
    case 'CREATE':
      return parseCreate(r);
    case 'INSERT':
      return parseInsert(r);
    case 'DROP':
      return parseDrop(r);
    case 'ALTER':
      return parseAlter(r);
    case 'ASSERT':
      return parseAssert(r);
    case 'ADVANCE':
      return parseAdvanceClock(r);
    case 'DEFINE':
    case 'UNDEFINE':
      return parseDefine(r);
    case 'SET':
    case 'UNSET':
      return parseSet(r);
    case 'EXPLAIN':
      return parseExplain(r);
    case 'SHOW':
    case 'LIST':
    case 'DESCRIBE':
    case 'PRINT':
    case 'PAUSE':
    case 'RESUME':
    case 'TERMINATE':
    case 'RUN':
      return skipStatement(r, r.at);
    default:
      return refuse(r);
  }
}

/** Statements of other databases and what stands in their place here. */
const INSTEAD: Readonly<Record<string, string>> = {
  UPDATE: 'rows change by new records: INSERT INTO ... VALUES',
  MERGE: 'rows change by new records: INSERT INTO ... VALUES',
  DELETE: 'a row of a table is deleted by a record with its key and no value',
  TRUNCATE: 'DROP ... DELETE TOPIC removes all of it',
  BEGIN: 'there are no transactions here: leave it out',
  COMMIT: 'there are no transactions here: leave it out',
};

function refuse(r: TokenReader): never {
  const token = r.peek();
  const instead = Object.hasOwn(INSTEAD, token.upper) ? INSTEAD[token.upper] : undefined;
  const near = token.kind === 'word' ? closest(token.value, STATEMENT_STARTERS) : null;
  const hint = near ? `did you mean ${near}?` : 'statements begin with CREATE, SELECT, INSERT, ...';
  return r.failExpected('a statement', instead ?? hint);
}

function parseInsert(r: TokenReader): Bare<InsertInto | InsertValues> {
  r.expect('INSERT');
  r.expect('INTO');
  const target = r.identifier('the name of a stream or table');
  const listed = r.peek();
  const columns =
    r.is('(') && !['SELECT', 'WITH', 'VALUES'].includes(r.peek(1).upper)
      ? parseNames(r, 'a column name')
      : [];
  if (r.accept('VALUES')) return { kind: 'insertValues', target, columns, rows: parseRows(r) };
  const properties = r.is('WITH') && r.peek(1).upper === '(' ? parseProperties(r) : [];
  if (!r.is('SELECT', 'WITH', '(')) return r.failExpected('SELECT or VALUES');
  if (columns.length > 0) {
    r.fail(
      'INSERT INTO ... SELECT takes no list of columns',
      listed,
      'name the columns in the SELECT: SELECT x AS column',
    );
  }
  return { kind: 'insertInto', target, properties, query: r.rules.query(r) };
}

function parseDefine(r: TokenReader): Bare<DefineStatement | UndefineStatement> {
  if (r.next().upper === 'UNDEFINE')
    return { kind: 'undefine', name: r.identifier('the name of a variable') };
  const name = r.identifier('the name of a variable');
  r.expect('=', "DEFINE name = 'value'");
  return { kind: 'define', name, value: r.string('a value in single quotes').value };
}

function parseSet(r: TokenReader): Bare<SetProperty | UnsetProperty> {
  if (r.next().upper === 'UNSET') {
    return { kind: 'unset', property: r.string('the name of a property in single quotes').value };
  }
  const property = r.string('the name of a property in single quotes').value;
  r.expect('=', "SET 'property' = 'value'");
  return { kind: 'set', property, value: r.string('a value in single quotes').value };
}

function parseExplain(r: TokenReader): Bare<ExplainStatement> {
  r.next();
  r.accept('ANALYZE');
  const named = r.isIdentifier() && (r.peek(1).upper === ';' || r.peek(1).kind === 'end');
  if (named) return { kind: 'explain', target: r.identifier('the name of a query') };
  return { kind: 'explain', target: parseStatement(r, '') };
}
