import type { Expression, GroupBy, Select, SelectItem } from '../ast.ts';
import type { Token } from '../lexer.ts';
import { parseWindow } from './durations.ts';
import { hasOver, isNamedWindowAhead, keepWindows, parseNamedWindows, withWindows } from './named-windows.ts';
import { isClauseAhead, isImplicitAlias, parseRelation } from './relations.ts';
import type { TokenReader } from './token-reader.ts';
import { spanOf } from './token-reader.ts';

/** The clauses behind FROM, in the order in which they are written. */
const CLAUSES = ['WINDOW', 'WHERE', 'GROUP', 'PARTITION', 'HAVING'] as const;
type Clause = (typeof CLAUSES)[number];

const PLACE: Readonly<Record<Clause, string>> = {
  WINDOW: 'WINDOW stands after FROM and before WHERE',
  WHERE: 'WHERE stands before GROUP BY',
  GROUP: 'GROUP BY stands after WHERE and before PARTITION BY and HAVING',
  PARTITION: 'PARTITION BY stands after WHERE and before HAVING',
  HAVING: 'HAVING stands after GROUP BY and before EMIT',
};

/** `SELECT .. FROM .. WINDOW .. WHERE .. GROUP BY .. PARTITION BY .. HAVING ..` */
export function parseSelect(r: TokenReader): Select {
  const first = r.at;
  const start = r.expect('SELECT');
  const distinct = r.accept('DISTINCT');
  if (!distinct) r.accept('ALL');
  const items = r.list(
    () => parseSelectItem(r),
    () => isListEnd(r),
  );
  const from = r.accept('FROM') ? parseRelation(r) : null;
  const parts = parseClauses(r);
  const windows = parseNamedWindows(r);
  const select: Select = { kind: 'select', distinct, items, from, ...parts, span: r.spanFrom(start) };
  if (!hasOver(r, first)) return keepWindows(select, windows);
  return keepWindows({ ...select, ...withWindows(r, { items, from, ...parts }, windows) }, windows);
}

/** Words behind a list of expressions that end it. */
const LIST_ENDS = [
  ')',
  ';',
  'FROM',
  'WINDOW',
  'WHERE',
  'GROUP',
  'HAVING',
  'LIMIT',
  'UNION',
  'INTERSECT',
  'EXCEPT',
];

function isListEnd(r: TokenReader): boolean {
  return LIST_ENDS.includes(r.peek().upper) || isClauseAhead(r);
}

function parseSelectItem(r: TokenReader): SelectItem {
  const start = r.peek();
  if (r.accept('*')) return { kind: 'all', qualifier: null, span: spanOf(start) };
  if (r.isIdentifier() && r.peek(1).upper === '.' && r.peek(2).upper === '*') {
    const qualifier = r.identifier('a source');
    r.at += 2;
    return { kind: 'all', qualifier, span: r.spanFrom(start) };
  }
  const expression = r.rules.expression(r);
  if (r.accept('->*')) return { kind: 'structAll', arg: expression, span: r.spanFrom(start) };
  const alias = r.accept('AS') || isImplicitAlias(r) ? r.identifier('an alias') : null;
  return { kind: 'expression', expression, alias, span: r.spanFrom(start) };
}

function parseClauses(
  r: TokenReader,
): Pick<Select, 'window' | 'where' | 'groupBy' | 'having' | 'partitionBy'> {
  const parts: {
    window: Select['window'];
    where: Select['where'];
    groupBy: Select['groupBy'];
    having: Select['having'];
    partitionBy: Select['partitionBy'];
  } = { window: null, where: null, groupBy: null, having: null, partitionBy: null };
  let reached = -1;
  for (let clause = clauseAt(r); clause !== null; clause = clauseAt(r)) {
    const index = CLAUSES.indexOf(clause);
    if (index === reached) r.note(`${clause} is written twice`, r.peek());
    else if (index < reached) r.note(`${clause} is in the wrong place`, r.peek(), PLACE[clause]);
    reached = Math.max(reached, index);
    switch (clause) {
      case 'WINDOW':
        parts.window = parseWindow(r);
        break;
      case 'WHERE':
        r.next();
        parts.where = r.rules.expression(r);
        break;
      case 'GROUP':
        parts.groupBy = parseGroupBy(r);
        break;
      case 'PARTITION':
        r.at += 2;
        parts.partitionBy = parseKeyList(r);
        break;
      case 'HAVING':
        r.next();
        parts.having = r.rules.expression(r);
        break;
    }
  }
  return parts;
}

function clauseAt(r: TokenReader): Clause | null {
  const word = r.peek().upper;
  if (isNamedWindowAhead(r)) return null;
  if (word === 'PARTITION') return r.peek(1).upper === 'BY' ? 'PARTITION' : null;
  return CLAUSES.find(c => c === word) ?? null;
}

/** Notes a clause that comes too late, behind ORDER BY, LIMIT or EMIT, and reads over it. */
export function noteLateClauses(r: TokenReader): void {
  const clause = clauseAt(r);
  if (clause === null) return;
  r.note(`${clause} is in the wrong place`, r.peek(), PLACE[clause]);
  parseClauses(r);
}

function parseGroupBy(r: TokenReader): GroupBy {
  const start = r.next();
  r.expect('BY', 'write GROUP BY');
  const items: Expression[] = [];
  let sets: GroupBy['sets'] = null;
  if (r.accept('ALL')) return { all: true, items, sets, span: r.spanFrom(start) };
  if (isParenthesisedList(r)) return { items: parseKeyList(r), sets, span: r.spanFrom(start) };
  r.list(
    () => {
      const found = parseGroupingSets(r);
      if (found === null) items.push(r.rules.expression(r));
      else if (sets === null) sets = found;
      else r.fail('one GROUPING SETS, ROLLUP or CUBE is enough', r.peek());
    },
    () => isListEnd(r),
  );
  return { items, sets, span: r.spanFrom(start) };
}

function parseGroupingSets(r: TokenReader): GroupBy['sets'] {
  const kind = r.ahead('GROUPING', 'SETS', '(')
    ? 'groupingSets'
    : r.ahead('ROLLUP', '(')
      ? 'rollup'
      : r.ahead('CUBE', '(')
        ? 'cube'
        : null;
  if (kind === null) return null;
  r.at += kind === 'groupingSets' ? 2 : 1;
  const groups = r.enclosed('(', ')', () =>
    r.list(
      () => (isGroup(r) ? parseGroup(r) : [r.rules.expression(r)]),
      () => r.is(')'),
    ),
  );
  return { kind, groups };
}

/** `a, b` or `(a, b)` */
function parseKeyList(r: TokenReader): Expression[] {
  if (isParenthesisedList(r)) return parseGroup(r);
  return r.list(
    () => r.rules.expression(r),
    () => isListEnd(r),
  );
}

function parseGroup(r: TokenReader): Expression[] {
  return r.enclosed('(', ')', () =>
    r.is(')')
      ? []
      : r.list(
          () => r.rules.expression(r),
          () => r.is(')'),
        ),
  );
}

/** Is all of the list in one pair of parentheses? `(a, b) HAVING` is, `(a + b) * c` is not. */
function isParenthesisedList(r: TokenReader): boolean {
  const after = afterParenthesis(r);
  if (after === null || ['SELECT', 'WITH', 'VALUES'].includes(r.peek(1).upper)) return false;
  return (
    LIST_ENDS.includes(after.upper) ||
    after.kind === 'end' ||
    ['EMIT', 'PARTITION', 'ORDER', 'OFFSET', 'FETCH'].includes(after.upper)
  );
}

/** Is this element of a grouping a list in parentheses, and not an expression that begins with one? */
function isGroup(r: TokenReader): boolean {
  const after = afterParenthesis(r);
  return after !== null && (after.upper === ',' || after.upper === ')');
}

/** The token behind the parenthesis that opens here, or null when none opens or it is not closed. */
function afterParenthesis(r: TokenReader): Token | null {
  if (!r.is('(')) return null;
  let depth = 0;
  for (let i = 0; ; i++) {
    const token = r.peek(i);
    if (token.kind === 'end' || token.upper === ';') return null;
    if (token.upper === '(') depth++;
    if (token.upper === ')') depth--;
    if (depth === 0) return r.peek(i + 1);
  }
}
