import type { Identifier, OverClause, QueryBody, Select } from '../ast.ts';
import { closest } from '../suggest.ts';
import { parseOver } from './calls.ts';
import { isClauseAhead } from './relations.ts';
import type { TokenReader } from './token-reader.ts';

export interface NamedWindow {
  readonly name: Identifier;
  readonly over: OverClause;
  used: boolean;
}

/** `WINDOW w AS (...)`, not `WINDOW TUMBLING (...)` */
export function isNamedWindowAhead(r: TokenReader): boolean {
  return r.is('WINDOW') && r.isIdentifier(1) && r.peek(2).upper === 'AS' && r.peek(3).upper === '(';
}

/** `WINDOW w AS (PARTITION BY ...), v AS (w ORDER BY ...)`: a window may go on from one before it. */
export function parseNamedWindows(r: TokenReader): readonly NamedWindow[] {
  if (!isNamedWindowAhead(r)) return [];
  const windows: NamedWindow[] = [];
  r.next();
  r.list(
    () => {
      const name = r.identifier('the name of a window');
      r.expect('AS');
      const over = filledIn(r, parseOver(r), windows);
      if (windows.some(w => sameName(w.name, name))) {
        r.note(`two windows are called "${name.name}"`, name.span, 'give one of them another name');
      } else windows.push({ name, over, used: false });
    },
    () => r.is(')', ';', 'LIMIT', 'UNION', 'INTERSECT', 'EXCEPT') || isClauseAhead(r),
  );
  return windows;
}

const windowsOf = new WeakMap<Select, readonly NamedWindow[]>();

/** Keeps the windows of a select for what stands behind it, its ORDER BY. */
export function keepWindows(select: Select, windows: readonly NamedWindow[]): Select {
  if (windows.length > 0) windowsOf.set(select, windows);
  return select;
}

/** ORDER BY and LIMIT of a query, read from a token on, in which every OVER says all that its named window says. */
export function withWindowsOf<T>(r: TokenReader, body: QueryBody, from: number, tail: T): T {
  if (!hasOver(r, from)) return tail;
  return withWindows(r, tail, (body.kind === 'select' ? windowsOf.get(body) : undefined) ?? []);
}

/** Notes the named windows that nothing goes on from: what is in them is never computed, nor looked at. */
export function noteUnusedWindows(r: TokenReader, body: QueryBody): void {
  if (body.kind === 'setOperation') {
    noteUnusedWindows(r, body.left);
    noteUnusedWindows(r, body.right);
  }
  if (body.kind !== 'select') return;
  for (const window of windowsOf.get(body) ?? []) {
    if (window.used) continue;
    window.used = true;
    const { name } = window.name;
    r.note(`the window "${name}" is not used`, window.name.span, `remove it, or use it: OVER ${name}`);
  }
}

/** A part of a select in which every OVER says all that its named window says; queries in it have windows of their own. */
export function withWindows<T>(r: TokenReader, part: T, windows: readonly NamedWindow[]): T {
  if (Array.isArray(part)) return part.map(p => withWindows(r, p as unknown, windows)) as T;
  if (typeof part !== 'object' || part === null || isQuery(part)) return part;
  const entries = Object.entries(part).map(([name, value]) => {
    const inner = withWindows(r, value as unknown, windows);
    return [name, name === 'over' && inner ? filledIn(r, inner as OverClause, windows) : inner] as const;
  });
  return Object.fromEntries(entries) as T;
}

function filledIn(r: TokenReader, over: OverClause, windows: readonly NamedWindow[]): OverClause {
  const { base, ...own } = over;
  if (base === undefined) return over;
  const found = windows.find(w => sameName(w.name, base.name));
  if (!found) {
    const near = closest(
      base.name.name,
      windows.map(w => w.name.name),
    );
    const hint =
      near === null
        ? 'name it behind HAVING: WINDOW w AS (PARTITION BY ... ORDER BY ...)'
        : `did you mean "${near}"?`;
    throw r.error(`unknown window "${base.name.name}"`, base.name.span, hint);
  }
  found.used = true;
  const window = found.over;
  if (!base.changed) return { ...window, span: own.span };
  const clash =
    own.partitionBy.length > 0
      ? 'PARTITION BY'
      : own.orderBy.length > 0 && window.orderBy.length > 0
        ? 'ORDER BY'
        : window.frame !== null
          ? 'a frame'
          : null;
  if (clash !== null) {
    const hint = `write all of it here: OVER (PARTITION BY ... ORDER BY ...), or OVER ${base.name.name} alone`;
    throw r.error(`a window that goes on from "${base.name.name}" cannot change ${clash}`, own.span, hint);
  }
  return {
    partitionBy: window.partitionBy,
    orderBy: own.orderBy.length > 0 ? own.orderBy : window.orderBy,
    frame: own.frame,
    span: own.span,
  };
}

/** Whether OVER is among what was read from a token on. */
export function hasOver(r: TokenReader, from: number): boolean {
  return r.tokens.slice(from, r.at).some(token => token.upper === 'OVER');
}

function isQuery(part: object): boolean {
  return 'body' in part && 'with' in part;
}

function sameName(a: Identifier, b: Identifier): boolean {
  return a.quoted || b.quoted ? a.name === b.name : a.name.toUpperCase() === b.name.toUpperCase();
}
