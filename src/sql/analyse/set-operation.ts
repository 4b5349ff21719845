import type { Column, Schema } from '../../core/schema.ts';
import { type SqlType, STRING, typeText } from '../../core/sql-type.ts';
import { commonType } from '../../expr/coercion.ts';
import type { Expr } from '../../expr/expr.ts';
import type { RelationKind } from '../../plan/plan.ts';
import type { QueryBody, SetOperation } from '../ast.ts';
import { coerceTo } from './coerce.ts';
import { type Rows, rowsOf } from './derived-relation.ts';
import type { Problems } from './problems.ts';
import type { ResolvedSetOperation, SetSide } from './resolved-query.ts';

/** UNION, INTERSECT and EXCEPT: both sides have as many columns; names are the left side's, types are reconciled. */
export function analyseSetOperation(
  operation: SetOperation,
  options: { readonly problems: Problems; readonly rowsOf: (side: QueryBody) => Rows },
): Rows {
  const { op, all } = operation;
  const { problems } = options;
  const left = options.rowsOf(operation.left);
  const right = options.rowsOf(operation.right);
  if (left.listed !== right.listed) {
    throw problems.error(
      'type_mismatch',
      operation.right.span,
      `both sides of ${op.toUpperCase()} must have as many columns: the left one has ${left.listed}, this one ${right.listed}`,
      left.listed > right.listed ? 'add what is missing: SELECT ..., NULL' : 'leave out what is too much',
    );
  }
  const lefts = outputs(left);
  const rights = outputs(right);
  const columns: Column[] = [];
  const sides: { readonly left: Expr[]; readonly right: Expr[] } = { left: [], right: [] };
  for (const [i, a] of lefts.entries()) {
    const b = rights[i] as Output;
    const type = reconciled(a, b);
    const both = type && [as(a, type), as(b, type)];
    if (!type || !both?.[0] || !both[1]) {
      throw problems.error(
        'type_mismatch',
        operation.right.span,
        `column ${i + 1} of ${op.toUpperCase()} ("${a.name}") is ${typeText(a.expr.type)} on the left and ${typeText(b.expr.type)} on the right`,
        'write CAST(... AS ...) to make them one type',
      );
    }
    columns.push({ name: a.name, type });
    sides.left.push(both[0]);
    sides.right.push(both[1]);
  }
  const keyed = !all;
  const schema: Schema = { columns, key: keyed ? columns.map((_, i) => i) : [], windowed: false };
  const side = (rows: Rows, exprs: readonly Expr[]): SetSide => ({ rows: rows.derived, columns: exprs });
  const derived: ResolvedSetOperation = {
    kind: 'setOperation',
    op,
    all,
    left: side(left, sides.left),
    right: side(right, sides.right),
    schema,
    changes: changesOf(operation, left, right),
  };
  return { derived, listed: columns.length };
}

function changesOf({ op, all }: SetOperation, left: Rows, right: Rows): RelationKind {
  if (!all) return 'upsert';
  const appends = [left, right].every(side => rowsOf(side.derived).changes === 'append');
  return op === 'union' && appends ? 'append' : 'retract';
}

interface Output {
  readonly name: string;
  /** the column of the side's rows */
  readonly expr: Expr;
  /** what it always is */
  readonly literal: Expr | null;
}

function outputs({ derived, listed }: Rows): readonly Output[] {
  const { columns } = rowsOf(derived).schema;
  return columns.slice(0, listed).map(({ name, type }, index) => {
    const written = derived.kind === 'query' ? derived.query.columns[index] : undefined;
    const literal = written?.node === 'literal' ? written : null;
    return { name, expr: { node: 'column', type, index, name }, literal };
  });
}

/** Columns decide before literals of unknown type: NULL, and text that may stand for a date or a number. */
function reconciled(a: Output, b: Output): SqlType | null {
  const [unknownA, unknownB] = [isUnknown(a), isUnknown(b)];
  if (unknownA && unknownB) return STRING;
  if (unknownA && coerceTo(a.literal as Expr, b.expr.type)) return b.expr.type;
  if (unknownB && coerceTo(b.literal as Expr, a.expr.type)) return a.expr.type;
  return commonType(a.expr.type, b.expr.type);
}

function isUnknown({ literal }: Output): boolean {
  return literal?.node === 'literal' && literal.type.kind === 'STRING';
}

function as({ expr, literal }: Output, type: SqlType): Expr | null {
  return coerceTo(literal ?? expr, type);
}
