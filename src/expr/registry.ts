import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import type {
  AggregateFold,
  AggregateFunction,
  EvalContext,
  FunctionEntry,
  Lambda,
  ScalarFunction,
  TableFunction,
} from './functions.ts';

/**
 * An argument as overload resolution sees it. `type: null` is the literal NULL. `textLiteral`: a STRING literal, which
 * among arguments of one type variable stands for whatever the others are (`GREATEST(some_date, '2026-01-01')`).
 */
export type ArgumentType =
  | { readonly kind: 'value'; readonly type: SqlType | null; readonly textLiteral?: boolean | undefined }
  | { readonly kind: 'lambda'; readonly arity: number; readonly body: SqlType | null };

export type Resolution<T> =
  | { readonly ok: true; readonly call: T }
  /** `reason` says what was expected, listing the overloads in SQL spelling */
  | { readonly ok: false; readonly reason: string };

export interface ResolvedCall<F> {
  readonly entry: F;
  /** the type to which each argument is to be cast; for a lambda its body's type */
  readonly args: readonly SqlType[];
  readonly returns: SqlType;
}

export type ScalarEvaluator = (args: readonly (Value | Lambda | null)[], ctx: EvalContext) => Value | null;
export type TableEvaluator = (args: readonly (Value | null)[], ctx: EvalContext) => readonly (Value | null)[];

/** All functions that SQL may call. Names are matched without case. Immutable: `with` makes a larger one. */
export interface FunctionRegistry {
  find(name: string): FunctionEntry | undefined;
  /** canonical names, sorted */
  names(kind?: FunctionEntry['kind']): readonly string[];
  with(entries: readonly FunctionEntry[]): FunctionRegistry;

  /** Parameter types of each lambda argument (by argument position), from the other arguments. */
  lambdaParameters(
    entry: ScalarFunction,
    args: readonly ArgumentType[],
  ): Resolution<ReadonlyMap<number, readonly SqlType[]>>;
  resolveScalar(
    entry: ScalarFunction,
    args: readonly ArgumentType[],
  ): Resolution<ResolvedCall<ScalarFunction>>;
  resolveTable(entry: TableFunction, args: readonly ArgumentType[]): Resolution<ResolvedCall<TableFunction>>;
  /** `args` without DISTINCT; the constants are the last ones */
  resolveAggregate(
    entry: AggregateFunction,
    args: readonly ArgumentType[],
  ): Resolution<ResolvedCall<AggregateFunction> & { readonly constants: number }>;

  /** The implementations of a resolved call; `args` exactly as resolution gave them. */
  scalar(fn: string, args: readonly SqlType[], returns: SqlType, site: number): ScalarEvaluator;
  table(fn: string, args: readonly SqlType[], returns: SqlType): TableEvaluator;
  aggregate(
    fn: string,
    args: readonly SqlType[],
    returns: SqlType,
    constants: readonly (Value | null)[],
  ): AggregateFold;
}
