import type { Span } from '../../core/span.ts';
import type { CommonTable, EmitClause, Expression, OrderItem, Query, QueryBody, Values } from '../ast.ts';
import { parseOrderItems } from './calls.ts';
import { parseDuration } from './durations.ts';
import { noteUnusedWindows, withWindowsOf } from './named-windows.ts';
import { isClauseAhead, parseNames } from './relations.ts';
import { noteLateClauses, parseSelect } from './select.ts';
import type { TokenReader } from './token-reader.ts';

/** `[WITH ..] body [ORDER BY ..] [LIMIT ..] [OFFSET ..] [EMIT ..]` */
export function parseQuery(r: TokenReader): Query {
  return r.nested(() => {
    const start = r.peek();
    const ctes = r.accept('WITH') ? parseCommonTables(r) : [];
    const body = parseSetOperations(r, parseTerm(r), start);
    return finish(r, ctes, body, start);
  });
}

/** The rest of a query whose first term, a query in parentheses, was read already. */
export function continueQuery(r: TokenReader, first: Query, start: Span): Query {
  const from = r.at;
  const body = parseSetOperations(r, asBody(first), start);
  const query = finish(r, [], body, start);
  return r.at === from ? first : query;
}

function finish(r: TokenReader, ctes: readonly CommonTable[], body: QueryBody, start: Span): Query {
  const from = r.at;
  const tail = withWindowsOf(r, body, from, parseTail(r));
  noteUnusedWindows(r, body);
  const plain = ctes.length === 0 && isEmpty(tail);
  if (plain && body.kind === 'nested') return body.query;
  return { with: ctes, body, ...tail, span: r.spanFrom(start) };
}

/** A query as an operand: without its own WITH and ORDER BY it is just its body. */
function asBody(query: Query): QueryBody {
  if (query.with.length === 0 && isEmpty(query)) return query.body;
  return { kind: 'nested', query, span: query.span };
}

function parseCommonTables(r: TokenReader): CommonTable[] {
  if (r.is('RECURSIVE') && r.isIdentifier(1)) {
    r.fail(
      'recursive queries are not part of this SQL',
      r.peek(),
      'write each level as a query of its own: WITH one AS (...), two AS (... one ...)',
    );
  }
  return r.list(
    () => {
      const start = r.peek();
      const name = r.identifier('a name for the query');
      const columns = r.is('(') ? parseNames(r, 'a column name') : [];
      r.expect('AS');
      const query = r.enclosed('(', ')', () => parseQuery(r));
      return { name, columns, query, span: r.spanFrom(start) };
    },
    () => r.is('SELECT', 'VALUES', '('),
  );
}

/** UNION and EXCEPT from the left; INTERSECT binds tighter. */
function parseSetOperations(r: TokenReader, first: QueryBody, start: Span): QueryBody {
  let left = parseIntersections(r, first, start);
  while (r.is('UNION', 'EXCEPT')) {
    const op = r.next().upper === 'UNION' ? 'union' : 'except';
    const all = parseAll(r);
    const next = r.peek();
    const right = parseIntersections(r, parseTerm(r), next);
    left = { kind: 'setOperation', op, all, left, right, span: r.spanFrom(start) };
    r.grow();
  }
  return left;
}

function parseIntersections(r: TokenReader, first: QueryBody, start: Span): QueryBody {
  let left = first;
  while (r.accept('INTERSECT')) {
    const all = parseAll(r);
    const right = parseTerm(r);
    left = { kind: 'setOperation', op: 'intersect', all, left, right, span: r.spanFrom(start) };
    r.grow();
  }
  return left;
}

function parseAll(r: TokenReader): boolean {
  const all = r.accept('ALL');
  if (!all) r.accept('DISTINCT');
  return all;
}

function parseTerm(r: TokenReader): QueryBody {
  if (r.is('SELECT')) return parseSelect(r);
  if (r.is('VALUES')) return parseValues(r);
  if (r.is('(')) {
    const query = r.enclosed('(', ')', () => parseQuery(r));
    return asBody(query);
  }
  return r.failExpected('SELECT');
}

function parseValues(r: TokenReader): Values {
  const start = r.next();
  const rows = parseRows(r);
  return { kind: 'values', rows, span: r.spanFrom(start) };
}

/** `(1, 'a'), (2, 'b')` */
export function parseRows(r: TokenReader): (readonly Expression[])[] {
  return r.list(
    () => parseRow(r),
    () => r.is(')', ';', 'UNION', 'INTERSECT', 'EXCEPT', 'LIMIT') || isClauseAhead(r),
  );
}

/** `(1, 'a')`, also empty */
export function parseRow(r: TokenReader): Expression[] {
  return r.enclosed('(', ')', () =>
    r.is(')')
      ? []
      : r.list(
          () => r.rules.expression(r),
          () => r.is(')'),
        ),
  );
}

interface Tail {
  orderBy: readonly OrderItem[];
  limit: Expression | null;
  offset: Expression | null;
  emit: EmitClause | null;
}

function isEmpty(tail: Tail): boolean {
  return tail.orderBy.length === 0 && tail.limit === null && tail.offset === null && tail.emit === null;
}

/** In any order: ksqlDB has EMIT before LIMIT, standard SQL has no EMIT. */
function parseTail(r: TokenReader): Tail {
  const tail: Tail = { orderBy: [], limit: null, offset: null, emit: null };
  for (;;) {
    if (r.accept('ORDER', 'BY'))
      tail.orderBy = parseOrderItems(r, () => r.is(')', 'LIMIT') || isClauseAhead(r));
    else if (r.accept('LIMIT')) tail.limit = r.accept('ALL') ? null : r.rules.expression(r);
    else if (r.is('OFFSET') && isClauseAhead(r)) {
      r.next();
      tail.offset = r.rules.expression(r);
      if (!r.accept('ROWS')) r.accept('ROW');
    } else if (r.is('FETCH') && isClauseAhead(r)) tail.limit = parseFetch(r);
    else if (r.is('EMIT')) tail.emit = parseEmit(r);
    else break;
  }
  noteLateClauses(r);
  return tail;
}

/** `FETCH FIRST 10 ROWS ONLY` is LIMIT 10. */
function parseFetch(r: TokenReader): Expression {
  r.at += 2;
  const limit = r.rules.expression(r);
  if (!r.accept('ROWS')) r.expect('ROW');
  r.expect('ONLY');
  return limit;
}

function parseEmit(r: TokenReader): EmitClause {
  const start = r.next();
  if (!r.is('CHANGES', 'FINAL')) return r.failExpected('CHANGES or FINAL');
  const mode = r.next().upper === 'CHANGES' ? 'changes' : 'final';
  let closeAfter: number | null = null;
  if (r.is('CLOSE')) {
    if (mode === 'changes') r.fail('CLOSE AFTER belongs to EMIT FINAL', r.peek());
    r.next();
    r.expect('AFTER');
    closeAfter = parseDuration(r);
  }
  return { mode, closeAfter, span: r.spanFrom(start) };
}
