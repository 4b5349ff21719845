import type { Expression, OrderItem, OverClause } from '../ast.ts';
import { RESERVED, takesUnitFirst, timeUnit } from './keywords.ts';
import type { TokenReader } from './token-reader.ts';
import { identifierOf, spanOf } from './token-reader.ts';

/** Keywords that are functions when a parenthesis follows. */
const KEYWORD_FUNCTIONS = new Set(['LEFT', 'RIGHT']);

export function isCallAhead(r: TokenReader): boolean {
  const token = r.peek();
  if (r.peek(1).upper !== '(') return false;
  if (token.kind === 'name') return true;
  return token.kind === 'word' && (!RESERVED.has(token.upper) || KEYWORD_FUNCTIONS.has(token.upper));
}

/** `name([DISTINCT] args [ORDER BY ..]) [WITHIN GROUP (ORDER BY ..)] [FILTER (WHERE ..)] [OVER (..)]` */
export function parseCall(r: TokenReader): Expression {
  const start = r.next();
  const name = identifierOf(start);
  let distinct = false;
  let items: OrderItem[] | null = null;
  const args = r.enclosed('(', ')', (): Expression[] => {
    if (r.is(')')) return [];
    if (r.is('*') && r.peek(1).upper === ')') return [{ kind: 'star', span: spanOf(r.next()) }];
    distinct = r.accept('DISTINCT');
    let first = true;
    const args = r.list(
      () => {
        const arg = parseArgument(r, first && takesUnitFirst(start.upper));
        first = false;
        return arg;
      },
      () => r.is(')') || r.ahead('ORDER', 'BY') || (start.upper === 'SUBSTRING' && r.is('FROM')),
    );
    if (r.accept('ORDER', 'BY')) items = parseOrderItems(r, () => r.is(')'));
    return start.upper === 'SUBSTRING' ? [...args, ...substringBounds(r)] : args;
  });
  const within = r.ahead('WITHIN', 'GROUP', '(') ? parseWithinGroup(r) : null;
  const order = within ? { items: within, within: true } : items ? { items, within: false } : null;
  const filter = r.ahead('FILTER', '(') ? parseFilter(r) : null;
  const over = isOverAhead(r) ? parseOverClause(r) : null;
  const call = { kind: 'call', name, args, distinct, filter, over, span: r.spanFrom(start) } as const;
  return order ? { ...call, order } : call;
}

function parseArgument(r: TokenReader, unitFirst: boolean): Expression {
  const token = r.peek();
  const unit = timeUnit(token.upper);
  if (unit !== null && unitFirst && [',', ')'].includes(r.peek(1).upper)) {
    return { kind: 'unit', unit, span: spanOf(r.next()) };
  }
  const after = timeUnit(r.peek(1).upper);
  if (token.kind === 'number' && after !== null && /^[0-9]+$/.test(token.value)) {
    r.at += 2;
    return { kind: 'duration', amount: Number(token.value), unit: after, span: r.spanFrom(token) };
  }
  return isLambdaAhead(r) ? parseLambda(r) : r.rules.expression(r);
}

/** `x =>` or `(x, y) =>`; looks no further than the first token that cannot be in such a head. */
function isLambdaAhead(r: TokenReader): boolean {
  if (r.peek().upper !== '(') return r.isIdentifier() && r.peek(1).upper === '=>';
  let i = 1;
  while (r.isIdentifier(i)) {
    i++;
    if (r.peek(i).upper === ')') return r.peek(i + 1).upper === '=>';
    if (r.peek(i).upper !== ',') return false;
    i++;
  }
  return false;
}

function parseLambda(r: TokenReader): Expression {
  const start = r.peek();
  const parameters = r.is('(')
    ? r.enclosed('(', ')', () =>
        r.list(
          () => r.identifier('a parameter'),
          () => r.is(')'),
        ),
      )
    : [r.identifier('a parameter')];
  r.expect('=>');
  const body = r.rules.expression(r);
  return { kind: 'lambda', parameters, body, span: r.spanFrom(start) };
}

/** standard SQL's `SUBSTRING(text FROM start FOR length)` */
function substringBounds(r: TokenReader): Expression[] {
  if (!r.accept('FROM')) return [];
  const from = r.rules.expression(r);
  return r.accept('FOR') ? [from, r.rules.expression(r)] : [from];
}

function parseWithinGroup(r: TokenReader): OrderItem[] {
  r.at += 2;
  return r.enclosed('(', ')', () => {
    r.expect('ORDER');
    r.expect('BY', 'write WITHIN GROUP (ORDER BY ...)');
    return parseOrderItems(r, () => r.is(')'));
  });
}

function parseFilter(r: TokenReader): Expression {
  r.next();
  return r.enclosed('(', ')', () => {
    r.expect('WHERE');
    return r.rules.expression(r);
  });
}

/** OVER may be a name too: it is none before a parenthesis or the name of a window. */
function isOverAhead(r: TokenReader): boolean {
  return r.is('OVER') && (r.peek(1).upper === '(' || r.isIdentifier(1));
}

function parseOverClause(r: TokenReader): OverClause {
  const start = r.next();
  if (r.is('(')) return { ...parseOver(r), span: r.spanFrom(start) };
  const name = r.identifier('the name of a window');
  const base = { name, changed: false };
  return { partitionBy: [], orderBy: [], frame: null, base, span: r.spanFrom(start) };
}

/** `([w] [PARTITION BY ...] [ORDER BY ...] [ROWS ...])` */
export function parseOver(r: TokenReader): OverClause {
  const start = r.peek();
  return r.enclosed('(', ')', () => {
    const isEnd = () => r.is(')', 'ROWS', 'RANGE', 'GROUPS') || r.ahead('ORDER', 'BY');
    const begins = r.ahead('PARTITION', 'BY') || isEnd();
    const base = begins
      ? null
      : { name: r.identifier('PARTITION BY, ORDER BY or the name of a window'), changed: true };
    const partitionBy = r.accept('PARTITION', 'BY') ? r.list(() => r.rules.expression(r), isEnd) : [];
    const orderBy = r.accept('ORDER', 'BY') ? parseOrderItems(r, isEnd) : [];
    const frame = r.is('ROWS', 'RANGE', 'GROUPS') ? parseFrame(r) : null;
    const over = { partitionBy, orderBy, frame, span: { start: start.start, end: r.peek().end } };
    return base === null ? over : { ...over, base };
  });
}

/** The frame as one text with single spaces, upper case: `ROWS BETWEEN 3 PRECEDING AND CURRENT ROW`. */
function parseFrame(r: TokenReader): string {
  const words: string[] = [];
  let depth = 0;
  while (depth > 0 || !r.is(')')) {
    const token = r.peek();
    if (token.kind === 'end' || token.upper === ';') r.failExpected('")"');
    if (token.upper === '(') depth++;
    if (token.upper === ')') depth--;
    words.push(token.upper === '' ? r.source.text.slice(token.start, token.end) : token.upper);
    r.next();
  }
  return words.join(' ');
}

/** `expr [ASC | DESC] [NULLS FIRST | LAST], ...` */
export function parseOrderItems(r: TokenReader, isEnd: () => boolean): OrderItem[] {
  return r.list((): OrderItem => {
    const start = r.peek();
    const expression = r.rules.expression(r);
    const descending = r.accept('DESC');
    if (!descending) r.accept('ASC');
    const nulls = r.accept('NULLS', 'FIRST') ? 'first' : r.accept('NULLS', 'LAST') ? 'last' : null;
    return { expression, descending, nulls, span: r.spanFrom(start) };
  }, isEnd);
}
