import type { Span } from '../../core/span.ts';
import type { BinaryOp, Comparison, Expression, Query } from '../ast.ts';
import { parseExpressionOrQuery, parsePostfix, parsePrimary } from './primary.ts';
import type { TokenReader } from './token-reader.ts';
import { spanOf, tokenText } from './token-reader.ts';

/** How tightly operators bind, loosest first: PostgreSQL's order, which contains ksqlDB's. */
export const Level = {
  OR: 1,
  AND: 2,
  NOT: 3,
  IS: 4,
  COMPARE: 5,
  /** BETWEEN, IN, LIKE */
  RANGE: 6,
  CONCAT: 7,
  ADD: 8,
  MULTIPLY: 9,
  AT: 10,
  SIGN: 11,
} as const;

const BINARY: Readonly<Record<string, { readonly op: BinaryOp; readonly level: number }>> = {
  OR: { op: 'or', level: Level.OR },
  AND: { op: 'and', level: Level.AND },
  '=': { op: '=', level: Level.COMPARE },
  '<>': { op: '<>', level: Level.COMPARE },
  '<': { op: '<', level: Level.COMPARE },
  '<=': { op: '<=', level: Level.COMPARE },
  '>': { op: '>', level: Level.COMPARE },
  '>=': { op: '>=', level: Level.COMPARE },
  '||': { op: '||', level: Level.CONCAT },
  '+': { op: '+', level: Level.ADD },
  '-': { op: '-', level: Level.ADD },
  '*': { op: '*', level: Level.MULTIPLY },
  '/': { op: '/', level: Level.MULTIPLY },
  '%': { op: '%', level: Level.MULTIPLY },
};

/** An operator at the reader's place: what it is, how tightly it binds. */
interface Infix {
  readonly level: number;
  /** two of this level side by side are refused (`a < b < c`) */
  readonly alone: boolean;
  read(left: Expression, start: Span): Expression;
}

/** Reads operators that bind at least as tightly as `level`. */
export function parseExpression(r: TokenReader, level: number = Level.OR): Expression {
  return r.nested(() => {
    const outer = r.height;
    r.height = 0;
    const start = r.peek();
    let left = parsePrefix(r);
    for (;;) {
      const infix = infixAt(r);
      if (infix === null || infix.level < level) break;
      left = infix.read(left, start);
      r.grow();
      if (infix.alone && infixAt(r)?.level === infix.level) refuseChain(r);
    }
    r.height = Math.max(outer, r.height + 1);
    return left;
  });
}

function refuseChain(r: TokenReader): never {
  return r.fail(
    `${tokenText(r.peek())} cannot follow another comparison`,
    r.peek(),
    'join two comparisons with AND, or put one in parentheses',
  );
}

function parsePrefix(r: TokenReader): Expression {
  const start = r.peek();
  if (r.is('-', '+')) {
    const op = r.next().upper === '-' ? '-' : '+';
    const arg = parseExpression(r, Level.SIGN);
    return { kind: 'unary', op, arg, span: r.spanFrom(start) };
  }
  if (r.accept('NOT')) {
    const arg = parseExpression(r, Level.NOT);
    return { kind: 'unary', op: 'not', arg, span: r.spanFrom(start) };
  }
  return parsePostfix(r, parsePrimary(r), start);
}

function infixAt(r: TokenReader): Infix | null {
  const word = r.peek().upper;
  const binary = Object.hasOwn(BINARY, word) ? BINARY[word] : undefined;
  if (binary) return binaryInfix(r, binary.op, binary.level);
  switch (word) {
    case 'IS':
      return isInfix(r);
    case 'AT':
      return r.ahead('AT', 'TIME', 'ZONE') ? atTimeZone(r) : null;
    case 'NOT':
      return ['BETWEEN', 'IN', 'LIKE'].includes(r.peek(1).upper) ? rangeInfix(r, r.peek(1).upper) : null;
    case 'BETWEEN':
    case 'IN':
    case 'LIKE':
      return rangeInfix(r, word);
    case 'ILIKE':
      return r.fail('ILIKE is not part of this SQL', r.peek(), "write LOWER(a) LIKE 'pattern'");
    default:
      return null;
  }
}

function binaryInfix(r: TokenReader, op: BinaryOp, level: number): Infix {
  return {
    level,
    alone: level === Level.COMPARE,
    read(left, start) {
      const opSpan = spanOf(r.next());
      if (level === Level.COMPARE && r.is('ANY', 'SOME', 'ALL') && r.peek(1).upper === '(') {
        return parseQuantified(r, left, op as Comparison, start);
      }
      const right = parseExpression(r, level + 1);
      return { kind: 'binary', op, left, right, opSpan, span: r.spanFrom(start) };
    },
  };
}

const OPPOSITE: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};

/** `a < ANY (query)`, `a >= ALL (query)` */
function parseQuantified(r: TokenReader, arg: Expression, op: Comparison, start: Span): Expression {
  const word = r.next();
  const all = word.upper === 'ALL';
  const found = r.enclosed('(', ')', () =>
    r.is('SELECT', 'WITH', 'VALUES') ? r.rules.query(r) : parseExpressionOrQuery(r),
  );
  const query = 'kind' in found ? (found.kind === 'subquery' ? found.query : null) : found;
  if (query === null) {
    return r.fail(
      `${word.upper} is of a query: ${word.upper} (SELECT ...)`,
      word,
      'of an ARRAY write ARRAY_CONTAINS(array, value)',
    );
  }
  const span = r.spanFrom(start);
  // x op ALL is true where no x opposite ANY is
  const asked = all ? OPPOSITE[op] : op;
  if (asked === '=') return { kind: 'in', arg, list: query, negated: all, span };
  const any = { kind: 'any', arg, op: asked, query, span } as const;
  return all ? { kind: 'unary', op: 'not', arg: any, span } : any;
}

function atTimeZone(r: TokenReader): Infix {
  return {
    level: Level.AT,
    alone: false,
    read(left, start) {
      const at = r.peek();
      r.accept('AT', 'TIME', 'ZONE');
      const opSpan = r.spanFrom(at);
      const right = parseExpression(r, Level.AT + 1);
      return { kind: 'binary', op: 'at time zone', left, right, opSpan, span: r.spanFrom(start) };
    },
  };
}

function isInfix(r: TokenReader): Infix {
  const distinct = r.ahead('IS', 'DISTINCT') || r.ahead('IS', 'NOT', 'DISTINCT');
  return {
    level: Level.IS,
    alone: distinct,
    read(arg, start) {
      const is = r.next();
      const negated = r.accept('NOT');
      if (distinct) {
        r.expect('DISTINCT');
        r.expect('FROM');
        const opSpan = r.spanFrom(is);
        const right = parseExpression(r, Level.IS + 1);
        const op = negated ? 'is not distinct from' : 'is distinct from';
        return { kind: 'binary', op, left: arg, right, opSpan, span: r.spanFrom(start) };
      }
      if (r.accept('NULL')) return { kind: 'isNull', arg, negated, span: r.spanFrom(start) };
      if (r.is('TRUE', 'FALSE')) {
        const truth = r.next().upper === 'TRUE';
        return { kind: 'isTruth', arg, truth, negated, span: r.spanFrom(start) };
      }
      return r.failExpected('NULL, TRUE, FALSE or DISTINCT FROM', 'compare values with = or <>');
    },
  };
}

function rangeInfix(r: TokenReader, word: string): Infix {
  return {
    level: Level.RANGE,
    alone: word !== 'IN',
    read(arg, start) {
      const negated = r.accept('NOT');
      r.next();
      if (word === 'BETWEEN') {
        const low = parseExpression(r, Level.RANGE + 1);
        r.expect('AND', 'BETWEEN low AND high');
        const high = parseExpression(r, Level.RANGE + 1);
        return { kind: 'between', arg, low, high, negated, span: r.spanFrom(start) };
      }
      if (word === 'LIKE') {
        const pattern = parseExpression(r, Level.RANGE + 1);
        const by = r.accept('ESCAPE') ? parseExpression(r, Level.RANGE + 1) : null;
        return { kind: 'like', arg, pattern, escape: by, negated, span: r.spanFrom(start) };
      }
      const list = parseInList(r);
      return { kind: 'in', arg, list, negated, span: r.spanFrom(start) };
    },
  };
}

function parseInList(r: TokenReader): readonly Expression[] | Query {
  return r.enclosed('(', ')', () => {
    if (r.is('SELECT', 'WITH', 'VALUES')) return r.rules.query(r);
    const items = r.list(
      () => parseExpressionOrQuery(r),
      () => r.is(')'),
    );
    const only = items[0];
    return items.length === 1 && only?.kind === 'subquery' ? only.query : items;
  });
}
