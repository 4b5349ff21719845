import type { Type } from './types.ts';

/** A typed expression, printed for both sides through the table of operators. Plain data. */
export interface Term {
  /** an operator's name, or `column`, `literal`, `aggregate` */
  readonly op: string;
  readonly type: Type;
  readonly args: readonly Term[];
  /** column: its name; literal: its text; aggregate: the function */
  readonly text?: string;
  readonly distinct?: boolean;
  readonly filter?: Term | null;
}

export function column(name: string, type: Type): Term {
  return { op: 'column', type, args: [], text: name };
}

export function literal(text: string, type: Type): Term {
  return { op: 'literal', type, args: [], text };
}

export function nullOf(type: Type): Term {
  return { op: 'null', type, args: [] };
}

export function columnsIn(term: Term, into: Set<string> = new Set()): Set<string> {
  if (term.op === 'column' && term.text !== undefined) into.add(term.text);
  for (const arg of term.args) columnsIn(arg, into);
  if (term.filter) columnsIn(term.filter, into);
  return into;
}

export function hasAggregate(term: Term): boolean {
  return term.op === 'aggregate' || term.args.some(hasAggregate);
}

export function sameTerm(a: Term, b: Term): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
