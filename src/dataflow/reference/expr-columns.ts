import type { Expr } from '../../expr/expr.ts';

/** Positions of the input columns that an expression reads. */
export function readColumns(expr: Expr): readonly number[] {
  const columns = new Set<number>();
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit);
    else if (isNode(part)) {
      if (part.node === 'column') columns.add(part.index);
      else if (part.node !== 'literal') visitFields(part);
    } else if (isPlain(part)) visitFields(part);
  };
  const visitFields = (part: object) => {
    for (const [name, value] of Object.entries(part)) if (name !== 'type') visit(value);
  };
  visit(expr);
  return [...columns];
}

function isPlain(part: unknown): part is object {
  return typeof part === 'object' && part !== null;
}

function isNode(part: unknown): part is Expr {
  return isPlain(part) && 'node' in part;
}
