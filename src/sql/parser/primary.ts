import type { Span } from '../../core/span.ts';
import type { Expression } from '../ast.ts';
import { isCallAhead, parseCall } from './calls.ts';
import { datePart, timeUnit } from './keywords.ts';
import type { TokenReader } from './token-reader.ts';
import { identifierOf, Reported, spanOf } from './token-reader.ts';
import { parseTypeName } from './type-names.ts';

/** A literal, a name, a call, or anything else that stands on its own. */
export function parsePrimary(r: TokenReader): Expression {
  const token = r.peek();
  switch (token.kind) {
    case 'number':
      r.next();
      return { kind: 'number', text: token.value, span: spanOf(token) };
    case 'string':
      r.next();
      return { kind: 'string', value: token.value, span: spanOf(token) };
    case 'bad':
      throw new Reported();
    case 'word':
      return parseWord(r);
    case 'name':
      return parseName(r);
    default:
      return token.upper === '(' ? parseParenthesis(r) : r.failExpected('an expression');
  }
}

function parseWord(r: TokenReader): Expression {
  const token = r.peek();
  const start = token;
  switch (token.upper) {
    case 'NULL':
      r.next();
      return { kind: 'null', span: spanOf(token) };
    case 'TRUE':
    case 'FALSE':
      r.next();
      return { kind: 'boolean', value: token.upper === 'TRUE', span: spanOf(token) };
    case 'CASE':
      return parseCase(r);
    case 'CAST':
      return parseCast(r);
    case 'EXISTS': {
      r.next();
      const query = r.enclosed('(', ')', () => r.rules.query(r));
      return { kind: 'exists', query, span: r.spanFrom(start) };
    }
    case 'ARRAY':
      if (r.peek(1).upper === '[') return parseArray(r);
      break;
    case 'MAP':
      if (r.peek(1).upper === '(') return parseMap(r);
      break;
    case 'STRUCT':
      if (r.peek(1).upper === '(') return parseStruct(r);
      break;
    case 'EXTRACT':
      if (r.peek(1).upper === '(' && r.peek(3).upper === 'FROM') return parseExtract(r);
      break;
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'INTERVAL':
      if (r.peek(1).kind === 'string') return parseTypedLiteral(r);
      if (/^[0-9]/.test(r.peek(1).value) && r.peek(1).kind === 'name') {
        r.fail(
          'a name cannot be a point in time',
          r.peek(1),
          `text stands in single quotes: '${r.peek(1).value}'`,
        );
      }
      break;
    default:
  }
  return parseName(r);
}

/** A call, or a column with or without its source: `amount`, `payments.amount`. */
function parseName(r: TokenReader): Expression {
  const start = r.peek();
  if (isCallAhead(r)) return parseCall(r);
  if (!r.isIdentifier()) return r.failExpected('an expression');
  const first = r.identifier('an expression');
  if (!r.is('.') || r.peek(1).upper === '*') {
    return { kind: 'column', qualifier: null, name: first, span: first.span };
  }
  r.next();
  const name = r.identifier('a column name');
  if (r.is('.')) {
    r.fail(
      'a column has at most one name before it',
      r.peek(),
      'a field of a STRUCT is written with an arrow: a->b',
    );
  }
  return { kind: 'column', qualifier: first, name, span: r.spanFrom(start) };
}

/** What may follow any primary: `[index]`, `->field`, `::type`. `->*` is left to the select list. */
export function parsePostfix(r: TokenReader, arg: Expression, start: Span): Expression {
  let result = arg;
  for (;;) {
    if (r.is('[')) {
      const inner = result;
      const index = r.enclosed('[', ']', () => r.rules.expression(r));
      result = { kind: 'subscript', arg: inner, index, span: r.spanFrom(start) };
    } else if (r.is('->')) {
      r.next();
      const token = r.peek();
      // behind an arrow any word is a field: `a->from`
      const name = token.kind === 'word' ? identifierOf(r.next()) : r.identifier('a field name');
      result = { kind: 'field', arg: result, name, span: r.spanFrom(start) };
    } else if (r.is('::')) {
      r.next();
      result = { kind: 'cast', arg: result, type: parseTypeName(r), span: r.spanFrom(start) };
    } else return result;
    r.grow();
  }
}

function parseParenthesis(r: TokenReader): Expression {
  const start = r.peek();
  if (['SELECT', 'WITH', 'VALUES'].includes(r.peek(1).upper)) {
    const query = r.enclosed('(', ')', () => r.rules.query(r));
    return { kind: 'subquery', query, span: r.spanFrom(start) };
  }
  return r.enclosed('(', ')', () => parseExpressionOrQuery(r));
}

/** An expression, or a query that begins with one in parentheses: `(SELECT ..) UNION ..` */
export function parseExpressionOrQuery(r: TokenReader): Expression {
  const start = r.peek();
  const inner = r.rules.expression(r);
  if (inner.kind !== 'subquery') return inner;
  const query = r.rules.continueQuery(r, inner.query, start);
  return query === inner.query ? inner : { kind: 'subquery', query, span: r.spanFrom(start) };
}

function parseCase(r: TokenReader): Expression {
  const start = r.next();
  const operand = r.is('WHEN') ? null : r.rules.expression(r);
  const whens: { when: Expression; then: Expression }[] = [];
  do {
    r.expect('WHEN');
    const when = r.rules.expression(r);
    r.expect('THEN');
    whens.push({ when, then: r.rules.expression(r) });
  } while (r.is('WHEN'));
  const otherwise = r.accept('ELSE') ? r.rules.expression(r) : null;
  if (!r.accept('END')) r.failExpected('WHEN, ELSE or END', 'every CASE is closed by END');
  return { kind: 'case', operand, whens, otherwise, span: r.spanFrom(start) };
}

function parseCast(r: TokenReader): Expression {
  const start = r.next();
  return r.enclosed('(', ')', () => {
    const arg = r.rules.expression(r);
    r.expect('AS', 'CAST(value AS TYPE)');
    const type = parseTypeName(r);
    return { kind: 'cast', arg, type, span: { start: start.start, end: r.peek().end } };
  });
}

function parseArray(r: TokenReader): Expression {
  const start = r.next();
  const items = r.enclosed('[', ']', () =>
    r.is(']')
      ? []
      : r.list(
          () => r.rules.expression(r),
          () => r.is(']'),
        ),
  );
  return { kind: 'array', items, span: r.spanFrom(start) };
}

function parseMap(r: TokenReader): Expression {
  const start = r.next();
  const entry = (): { key: Expression; value: Expression } => {
    const key = r.rules.expression(r);
    r.expect(':=', "a map is written MAP('key' := value)");
    return { key, value: r.rules.expression(r) };
  };
  const entries = r.enclosed('(', ')', () => (r.is(')') ? [] : r.list(entry, () => r.is(')'))));
  return { kind: 'map', entries, span: r.spanFrom(start) };
}

function parseStruct(r: TokenReader): Expression {
  const start = r.next();
  const field = () => {
    const name = r.identifier('a field name');
    r.expect(':=', 'a struct is written STRUCT(name := value)');
    return { name, value: r.rules.expression(r) };
  };
  const fields = r.enclosed('(', ')', () => (r.is(')') ? [] : r.list(field, () => r.is(')'))));
  return { kind: 'struct', fields, span: r.spanFrom(start) };
}

function parseExtract(r: TokenReader): Expression {
  const start = r.next();
  return r.enclosed('(', ')', () => {
    const token = r.next();
    const part = datePart(token.upper);
    if (part === null) {
      return r.fail(
        `"${token.value}" is not a part of a date or time`,
        token,
        'parts: YEAR, MONTH, DAY, DOW, DOY, HOUR, MINUTE, SECOND, EPOCH, ...',
      );
    }
    r.expect('FROM');
    const arg = r.rules.expression(r);
    return { kind: 'extract', part, arg, span: { start: start.start, end: r.peek().end } };
  });
}

/** `DATE '2024-01-31'`, `INTERVAL '3' DAYS` */
function parseTypedLiteral(r: TokenReader): Expression {
  const start = r.next();
  const value = r.next().value;
  const type =
    start.upper === 'DATE'
      ? 'date'
      : start.upper === 'TIME'
        ? 'time'
        : start.upper === 'TIMESTAMP'
          ? 'timestamp'
          : 'interval';
  const unit = type === 'interval' ? timeUnit(r.peek().upper) : null;
  if (unit !== null) r.next();
  return { kind: 'typedLiteral', type, value, unit, span: r.spanFrom(start) };
}
