import type { Expression, Identifier, Join, Relation, WithinClause } from '../ast.ts';
import { parseCall } from './calls.ts';
import { parseWithin } from './durations.ts';
import type { TokenReader } from './token-reader.ts';

/** Each join hands on the columns of all before it: what a query costs grows faster than the number of them. */
const MAX_JOINS = 100;

/** What stands behind FROM: sources, joins, subqueries, table functions. A comma is a cross join. */
export function parseRelation(r: TokenReader): Relation {
  const start = r.peek();
  let left = parseJoined(r);
  while (r.accept(',')) {
    const right = parseJoined(r);
    const none = { on: null, using: [], within: null };
    left = { kind: 'join', type: 'cross', left, right, ...none, span: r.spanFrom(start) };
    r.grow();
  }
  return left;
}

function parseJoined(r: TokenReader): Relation {
  const start = r.peek();
  let left = parseSource(r);
  for (let joins = 0; ; joins++) {
    const natural = isNatural(r) && r.accept('NATURAL');
    const type = parseJoinType(r);
    if (type === null) return left;
    if (joins === MAX_JOINS) {
      const hint = 'name parts of it in views of their own';
      throw r.error(`more than ${MAX_JOINS} joins side by side`, r.peek(), hint, 'limit_exceeded');
    }
    const right = parseSource(r);
    if (natural) {
      const none = { on: null, using: [], within: null };
      left = { kind: 'join', type, left, right, ...none, natural, span: r.spanFrom(start) };
      r.grow();
      continue;
    }
    const within = r.is('WITHIN') ? parseWithin(r) : null;
    const { on, using } = parseCriteria(r, type, within);
    left = { kind: 'join', type, left, right, on, using, within, span: r.spanFrom(start) };
    r.grow();
  }
}

/** NATURAL may be a name too: it is none before a join. */
function isNatural(r: TokenReader): boolean {
  const words = ['JOIN', 'INNER', 'LEFT', 'RIGHT', 'FULL'];
  return r.peek().upper === 'NATURAL' && words.includes(r.peek(1).upper ?? '');
}

/** LATERAL may be a name too: it is none before a query or another call. Table functions see what is before them anyway. */
function isLateral(r: TokenReader): boolean {
  if (r.peek().upper !== 'LATERAL') return false;
  if (r.peek(1).upper === '(') return ['SELECT', 'WITH', 'VALUES', '('].includes(r.peek(2).upper);
  return r.isIdentifier(1) && r.peek(2).upper === '(';
}

function parseJoinType(r: TokenReader): Join['type'] | null {
  if (r.accept('JOIN')) return 'inner';
  const word = r.peek().upper;
  if (!['INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS'].includes(word)) return null;
  r.next();
  if (word === 'LEFT' || word === 'RIGHT' || word === 'FULL') r.accept('OUTER');
  r.expect('JOIN');
  return word === 'INNER'
    ? 'inner'
    : word === 'LEFT'
      ? 'left'
      : word === 'RIGHT'
        ? 'right'
        : word === 'FULL'
          ? 'full'
          : 'cross';
}

function parseCriteria(
  r: TokenReader,
  type: Join['type'],
  within: WithinClause | null,
): { on: Expression | null; using: readonly Identifier[] } {
  if (type === 'cross') return { on: null, using: [] };
  if (r.accept('ON')) {
    const on = r.rules.expression(r);
    if (r.is('WITHIN') && within === null) {
      r.fail('WITHIN stands before ON', r.peek(), 'JOIN b WITHIN 1 HOUR ON a.id = b.id');
    }
    return { on, using: [] };
  }
  if (r.ahead('USING', '(')) {
    r.next();
    return { on: null, using: parseNames(r, 'a column name') };
  }
  return r.failExpected('ON', 'a join needs its condition: ON a.id = b.id');
}

/** `(a, b)` */
export function parseNames(r: TokenReader, what: string): Identifier[] {
  return r.enclosed('(', ')', () =>
    r.list(
      () => {
        const name = r.identifier(what);
        if (r.isIdentifier()) r.failExpected('","', 'this list has names only, no types');
        return name;
      },
      () => r.is(')'),
    ),
  );
}

function parseSource(r: TokenReader): Relation {
  const start = r.peek();
  if (r.is('(')) return r.nested(() => parseParenthesis(r));
  if (isLateral(r)) {
    const word = r.next();
    if (r.is('(')) {
      const hint =
        'number the rows of each key and join: JOIN (SELECT k, x, ROW_NUMBER() OVER (PARTITION BY k ORDER BY x DESC) AS place FROM t) AS l ON l.k = o.k AND l.place <= 3';
      throw r.error(
        'LATERAL stands before table functions only, not before queries',
        word,
        hint,
        'not_supported',
      );
    }
  }
  if (r.isIdentifier() && r.peek(1).upper === '(') {
    const call = parseCall(r);
    const ordinality = r.accept('WITH', 'ORDINALITY') ? { ordinality: true as const } : {};
    return { kind: 'tableFunction', call, ...ordinality, ...parseAlias(r), span: r.spanFrom(start) };
  }
  const name = r.identifier('the name of a stream, table or view');
  if (r.is('.')) {
    r.fail(
      'sources have no schema name before them',
      r.peek(),
      'write the name alone, or in backquotes if it has a dot',
    );
  }
  const { alias, columns } = parseAlias(r);
  if (columns.length > 0) r.fail('only a subquery or a function renames columns', r.spanFrom(start));
  return { kind: 'table', name, alias, span: r.spanFrom(start) };
}

/** A subquery, or a join in parentheses. */
function parseParenthesis(r: TokenReader): Relation {
  const start = r.peek();
  const inner = r.enclosed('(', ')', (): Relation => {
    const first = r.peek();
    if (r.is('SELECT', 'WITH', 'VALUES')) {
      const query = r.rules.query(r);
      return { kind: 'subquery', query, alias: null, columns: [], span: r.spanFrom(first) };
    }
    const relation = parseRelation(r);
    if (relation.kind !== 'subquery' || relation.alias !== null) return relation;
    const query = r.rules.continueQuery(r, relation.query, first);
    return { ...relation, query };
  });
  if (inner.kind !== 'subquery' || inner.alias !== null) return inner;
  return { ...inner, ...parseAlias(r), span: r.spanFrom(start) };
}

function parseAlias(r: TokenReader): { alias: Identifier | null; columns: readonly Identifier[] } {
  const alias = r.accept('AS') || isImplicitAlias(r) ? r.identifier('an alias') : null;
  return { alias, columns: alias !== null && r.is('(') ? parseNames(r, 'a column name') : [] };
}

/** A name without AS, unless it begins the next clause. */
export function isImplicitAlias(r: TokenReader): boolean {
  if (!r.isIdentifier()) return false;
  if (r.peek().kind === 'name') return true;
  return !isClauseAhead(r);
}

/** Does one of the clauses begin here whose words may also be names? */
export function isClauseAhead(r: TokenReader): boolean {
  const second = r.peek(1);
  switch (r.peek().upper) {
    case 'EMIT':
      return second.upper === 'CHANGES' || second.upper === 'FINAL';
    case 'PARTITION':
    case 'ORDER':
      return second.upper === 'BY';
    case 'USING':
      return second.upper === '(';
    case 'NATURAL':
      return isNatural(r);
    case 'OFFSET':
      return second.kind === 'number' || second.upper === '(';
    case 'FETCH':
      return second.upper === 'FIRST' || second.upper === 'NEXT';
    default:
      return false;
  }
}
