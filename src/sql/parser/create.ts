import type {
  AlterSource,
  ColumnDefinition,
  CreateAs,
  CreateSource,
  CreateType,
  DropStatement,
  DropType,
  OtherStatement,
} from '../ast.ts';
import { parseColumn, parseColumns, parseProperties } from './definitions.ts';
import { skipStatement } from './skipped.ts';
import type { TokenReader } from './token-reader.ts';
import { tokenText } from './token-reader.ts';
import { parseTypeName } from './type-names.ts';

type Bare<T> = T extends unknown ? Omit<T, 'span' | 'comment'> : never;

/** CREATE STREAM | TABLE | VIEW | TYPE | CONNECTOR */
export function parseCreate(r: TokenReader): Bare<CreateSource | CreateAs | CreateType | OtherStatement> {
  const from = r.at;
  r.expect('CREATE');
  const orReplace = r.accept('OR');
  if (orReplace) r.expect('REPLACE');
  if (r.is('CONNECTOR') || ((r.is('SOURCE') || r.is('SINK')) && r.peek(1).upper === 'CONNECTOR')) {
    return skipStatement(r, from);
  }
  const readOnly = r.accept('SOURCE');
  if (r.is('MATERIALIZED') && r.peek(1).upper === 'VIEW') r.next();
  const word = r.peek().upper;
  if (word === 'TYPE') return parseCreateType(r);
  if (word !== 'STREAM' && word !== 'TABLE' && word !== 'VIEW') {
    return r.failExpected(readOnly ? 'STREAM or TABLE' : 'STREAM, TABLE, VIEW or TYPE');
  }
  r.next();
  const what = word === 'STREAM' ? 'stream' : word === 'TABLE' ? 'table' : 'view';
  const ifNotExists = parseIf(r, 'NOT', 'EXISTS');
  const name = r.identifier(`the name of the ${what}`);
  const before = r.errors.length;
  const columnStart = r.peek();
  const columns = r.is('(') ? parseColumns(r) : [];
  const columnSpan = r.spanFrom(columnStart);
  const properties = parseProperties(r);
  const common = { name, orReplace, ifNotExists, properties };
  if (r.is('SELECT')) r.failExpected('AS', 'write AS before SELECT');
  if (what === 'view' || r.is('AS')) {
    if (columns.length > 0 || r.errors.length > before + 1) {
      r.note(
        `a ${what} made by AS SELECT declares no columns`,
        columnSpan,
        'its columns are those of the query',
      );
    }
    if (readOnly)
      r.note('CREATE SOURCE declares a topic and takes no query', r.peek(), `write CREATE ${word}`);
    r.expect('AS');
    return { kind: 'createAs', what, ...common, query: r.rules.query(r) };
  }
  return { kind: 'createSource', what, readOnly, columns, ...common };
}

function parseIf(r: TokenReader, ...words: readonly string[]): boolean {
  if (!r.is('IF') || r.peek(1).upper !== words[0]) return false;
  r.next();
  for (const word of words) r.expect(word);
  return true;
}

function parseCreateType(r: TokenReader): Bare<CreateType> {
  r.expect('TYPE');
  const ifNotExists = parseIf(r, 'NOT', 'EXISTS');
  const name = r.identifier('the name of the type');
  r.expect('AS', 'CREATE TYPE name AS type');
  return { kind: 'createType', name, ifNotExists, type: parseTypeName(r) };
}

/** DROP STREAM | TABLE | VIEW | TYPE | CONNECTOR */
export function parseDrop(r: TokenReader): Bare<DropStatement | DropType | OtherStatement> {
  const from = r.at;
  r.expect('DROP');
  if (r.is('CONNECTOR')) return skipStatement(r, from);
  const word = r.peek().upper;
  if (word !== 'STREAM' && word !== 'TABLE' && word !== 'VIEW' && word !== 'TYPE') {
    return r.failExpected('STREAM, TABLE, VIEW or TYPE');
  }
  r.next();
  const ifExists = parseIf(r, 'EXISTS');
  const name = r.identifier(`the name of the ${word.toLowerCase()}`);
  if (word === 'TYPE') return { kind: 'dropType', name, ifExists };
  const deleteTopic = r.accept('DELETE');
  if (deleteTopic) r.expect('TOPIC');
  const what = word === 'STREAM' ? 'stream' : word === 'TABLE' ? 'table' : 'view';
  return { kind: 'drop', what, name, ifExists, deleteTopic };
}

/** ALTER STREAM | TABLE name ADD [COLUMN] column type, ... */
export function parseAlter(r: TokenReader): Bare<AlterSource | OtherStatement> {
  const from = r.at;
  r.expect('ALTER');
  if (r.is('SYSTEM')) return skipStatement(r, from);
  const word = r.peek();
  if (word.upper !== 'STREAM' && word.upper !== 'TABLE') {
    if (word.upper === 'VIEW') r.fail('a view is not altered', word, 'CREATE OR REPLACE VIEW states it anew');
    return r.failExpected('STREAM or TABLE');
  }
  r.next();
  const what = word.upper === 'STREAM' ? 'stream' : 'table';
  const name = r.identifier(`the name of the ${what}`);
  const add = r.list(
    (): ColumnDefinition => {
      r.expect('ADD');
      if (r.is('COLUMN') && r.isIdentifier(1) && r.isIdentifier(2)) r.next();
      const column = parseColumn(r);
      if (column.constraint !== null) {
        r.fail(`an added column cannot be ${tokenText(r.tokens[r.at - 1] ?? r.peek())}`, column.span);
      }
      return column;
    },
    () => r.is(';'),
  );
  return { kind: 'alter', what, name, add };
}
