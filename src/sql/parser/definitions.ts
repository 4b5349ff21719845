import type { ColumnDefinition, Expression, Identifier, Property } from '../ast.ts';
import type { TokenReader } from './token-reader.ts';
import { identifierOf, spanOf } from './token-reader.ts';
import { parseTypeName } from './type-names.ts';

/** `(id INT KEY, name STRING, ...)` */
export function parseColumns(r: TokenReader): ColumnDefinition[] {
  return r.enclosed('(', ')', () =>
    r.is(')')
      ? []
      : r.list(
          () => parseColumn(r),
          () => r.is(')'),
        ),
  );
}

export function parseColumn(r: TokenReader): ColumnDefinition {
  const start = r.peek();
  const name = r.identifier('a column name');
  const type = parseTypeName(r, 'a column type');
  let constraint: ColumnDefinition['constraint'] = null;
  let header: string | null = null;
  if (r.accept('PRIMARY')) {
    r.expect('KEY');
    constraint = 'primaryKey';
  } else if (r.accept('KEY')) constraint = 'key';
  else if (r.accept('HEADERS')) constraint = 'headers';
  else if (r.is('HEADER') && r.peek(1).upper === '(') {
    r.next();
    constraint = 'header';
    header = r.enclosed('(', ')', () => r.string('the name of a header in single quotes').value);
  } else if (r.is('NOT', 'NULL')) {
    r.fail(
      'a column takes no NULL or NOT NULL',
      r.peek(),
      'every column may be NULL; filter with WHERE column IS NOT NULL',
    );
  } else if (r.is('DEFAULT')) r.fail('a column takes no DEFAULT', r.peek(), 'use COALESCE in a view');
  return { name, type, constraint, header, span: r.spanFrom(start) };
}

/** `WITH (name = literal, ...)`, or nothing */
export function parseProperties(r: TokenReader): Property[] {
  if (!r.accept('WITH')) return [];
  return r.enclosed('(', ')', () =>
    r.is(')')
      ? []
      : r.list(
          () => parseProperty(r),
          () => r.is(')'),
        ),
  );
}

function parseProperty(r: TokenReader): Property {
  const name = parsePropertyName(r);
  r.expect('=', 'a property is written NAME = value');
  return { name, value: parseLiteral(r) };
}

function parsePropertyName(r: TokenReader): Identifier {
  const token = r.peek();
  if (token.kind !== 'string' && token.kind !== 'word') return r.identifier('the name of a property');
  r.next();
  return { ...identifierOf(token), quoted: false };
}

function parseLiteral(r: TokenReader): Expression {
  const token = r.peek();
  const quoted =
    token.kind === 'name' || (token.kind === 'word' && !['TRUE', 'FALSE', 'NULL'].includes(token.upper));
  if (quoted) {
    r.failExpected('a value', `text stands in single quotes: '${token.value}'`);
  }
  if (token.kind === 'op' && !r.is('-', '+')) r.failExpected('a value');
  const value = r.rules.expression(r);
  if (!isLiteral(value)) r.fail('a property takes a plain value, no expression', value.span);
  return value;
}

function isLiteral(value: Expression): boolean {
  if (value.kind === 'unary') return value.op !== 'not' && value.arg.kind === 'number';
  return ['string', 'number', 'boolean', 'null'].includes(value.kind);
}

/** A name that may also be written as text: topics, subjects. */
export function parseResourceName(r: TokenReader, what: string): Identifier {
  const token = r.peek();
  if (token.kind !== 'string') return r.identifier(what);
  r.next();
  return { name: token.value, quoted: true, span: spanOf(token) };
}
