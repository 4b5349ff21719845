import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';

/**
 * A typed, resolved expression: frozen plain data without spans, names or overloads left to decide.
 * The resolver (`sql/`) makes it; closures (`expr/closure.ts`) and generated source (`expr/generate.ts`) run it.
 * Implicit conversions stand as `cast` nodes, so operand types match exactly where an operator needs it.
 */
export type Expr =
  | { readonly node: 'literal'; readonly type: SqlType; readonly value: Value | null }
  /** column `index` of the input row */
  | { readonly node: 'column'; readonly type: SqlType; readonly index: number; readonly name: string }
  /** ROWTIME: the change's event time (BIGINT in ms) */
  | { readonly node: 'rowtime'; readonly type: SqlType }
  /** the log's clock (append time) at the change: TIMESTAMP */
  | { readonly node: 'now'; readonly type: SqlType }
  /** parameter of the enclosing lambda; slots number all lambda parameters of one expression tree uniquely */
  | { readonly node: 'parameter'; readonly type: SqlType; readonly slot: number; readonly name: string }
  | {
      readonly node: 'lambda';
      readonly type: SqlType;
      readonly slots: readonly number[];
      readonly body: Expr;
    }
  /** a scalar function of the registry; `site` numbers RANDOM / UUID call sites */
  | {
      readonly node: 'call';
      readonly type: SqlType;
      readonly fn: string;
      readonly args: readonly Expr[];
      readonly site: number;
    }
  | {
      readonly node: 'arithmetic';
      readonly type: SqlType;
      readonly op: ArithmeticOp;
      readonly left: Expr;
      readonly right: Expr;
    }
  | { readonly node: 'negate'; readonly type: SqlType; readonly arg: Expr }
  | {
      readonly node: 'compare';
      readonly type: SqlType;
      readonly op: CompareOp;
      readonly left: Expr;
      readonly right: Expr;
    }
  | { readonly node: 'and' | 'or'; readonly type: SqlType; readonly left: Expr; readonly right: Expr }
  | { readonly node: 'not'; readonly type: SqlType; readonly arg: Expr }
  | { readonly node: 'isNull'; readonly type: SqlType; readonly arg: Expr; readonly negated: boolean }
  | {
      readonly node: 'like';
      readonly type: SqlType;
      readonly arg: Expr;
      readonly pattern: Expr;
      readonly escape: string | null;
      readonly negated: boolean;
    }
  | {
      readonly node: 'in';
      readonly type: SqlType;
      readonly arg: Expr;
      readonly list: readonly Expr[];
      readonly negated: boolean;
    }
  | {
      readonly node: 'case';
      readonly type: SqlType;
      readonly whens: readonly { readonly when: Expr; readonly then: Expr }[];
      readonly otherwise: Expr | null;
    }
  | { readonly node: 'cast'; readonly type: SqlType; readonly arg: Expr }
  /** STRUCT -> field */
  | {
      readonly node: 'field';
      readonly type: SqlType;
      readonly arg: Expr;
      readonly index: number;
      readonly name: string;
    }
  /** ARRAY[i] (from 1; negative from the end) or MAP[key] */
  | { readonly node: 'subscript'; readonly type: SqlType; readonly arg: Expr; readonly index: Expr }
  | { readonly node: 'array'; readonly type: SqlType; readonly items: readonly Expr[] }
  | {
      readonly node: 'map';
      readonly type: SqlType;
      readonly entries: readonly { readonly key: Expr; readonly value: Expr }[];
    }
  | { readonly node: 'struct'; readonly type: SqlType; readonly fields: readonly Expr[] };

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%';
/** `is` / `is not`: IS [NOT] DISTINCT FROM, never NULL */
export type CompareOp = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'distinct' | 'not distinct';
