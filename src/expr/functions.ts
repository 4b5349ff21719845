import type { SqlType } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';

/**
 * The extension API of expressions: scalar, aggregate and table functions as registry entries.
 * Own functions in `pipelines/` use the same types.
 *
 * Signatures are written as text, for instance:
 * - `(STRING, INT) -> STRING`
 * - `(ARRAY<T>, T) -> BOOLEAN`
 * - `(STRING...) -> STRING` — last parameter any number of times (one or more)
 * - `(DECIMAL) -> DECIMAL` — any precision and scale; the return type is then given by `returns`
 * - `(MAP<K, V>, (K, V) => R) -> MAP<K, R>` — a lambda parameter
 * Single capital letters are type variables. An argument fits if its type is equal, NULL, or widens implicitly:
 * INT -> BIGINT -> DECIMAL -> DOUBLE; STRING literals to DATE / TIME / TIMESTAMP are not implicit here.
 * The overload with the fewest conversions wins, the earlier one on a tie.
 */
export type Signature = string;

/** What an evaluation may know beside its arguments. */
export interface EvalContext {
  /** the log's clock at the record, ms: NOW(), CURRENT_DATE, ... */
  readonly now: number;
  /** event time of the change, ms */
  readonly rowtime: number;
  /** sequence of the change: seeds RANDOM and UUID together with the call site */
  readonly seq: number;
  /** IANA zone of conversions without a zone of their own; a setting, part of the fingerprint */
  readonly zone: string;
  /** Reports a runtime error of this expression (it becomes NULL); goes to the view's ledger. */
  fail(message: string): null;
}

export type Lambda = (...args: (Value | null)[]) => Value | null;

export interface ScalarOverload {
  readonly signature: Signature;
  /** Return type where the signature alone cannot say it (DECIMAL arithmetic, STRUCTs); arguments as resolved. */
  readonly returns?: ((args: readonly SqlType[]) => SqlType) | undefined;
  /**
   * The implementation for these argument types. With `nulls: 'propagate'` (the default) any NULL argument gives NULL
   * without a call. A lambda argument arrives as {@link Lambda}.
   */
  readonly make: (
    types: ResolvedTypes,
  ) => (args: readonly (Value | Lambda | null)[], ctx: EvalContext) => Value | null;
  readonly nulls?: 'propagate' | 'called' | undefined;
}

export interface ResolvedTypes {
  /** parameter types after conversion; a lambda stands as its body's type */
  readonly args: readonly SqlType[];
  readonly returns: SqlType;
  /** number of this call site within its statement: seeds RANDOM and UUID */
  readonly site: number;
}

export interface ScalarFunction {
  readonly kind: 'scalar';
  /** upper case */
  readonly name: string;
  readonly aliases?: readonly string[] | undefined;
  readonly category: string;
  /** one sentence for `docs` and error hints */
  readonly description: string;
  readonly overloads: readonly ScalarOverload[];
  /** false: may differ between calls with equal arguments (RANDOM, UUID) */
  readonly deterministic?: boolean | undefined;
  /** name of the entry that complete SQL (VIEW, bare SELECT) calls instead, where PostgreSQL means something else */
  readonly complete?: string | undefined;
  /** part of the fingerprint of plans that use it; raise when the meaning changes */
  readonly version?: number | undefined;
}

/** A table function (UDTF): one value in, any number of rows out. */
export interface TableFunction {
  readonly kind: 'table';
  readonly name: string;
  readonly category: string;
  readonly description: string;
  readonly overloads: readonly {
    readonly signature: Signature; // returns the element type, e.g. `(ARRAY<T>) -> T`
    readonly returns?: ((args: readonly SqlType[]) => SqlType) | undefined;
    readonly make: (
      types: ResolvedTypes,
    ) => (args: readonly (Value | null)[], ctx: EvalContext) => readonly (Value | null)[];
  }[];
  readonly version?: number | undefined;
}

/**
 * An aggregate. The accumulator is a Value of `state` type, so that every state can be stored by type.
 * `add` may change an accumulator that it owns and return it; `result` must not share structure that `add` later changes.
 */
export interface AggregateOverload {
  readonly signature: Signature;
  readonly returns?: ((args: readonly SqlType[]) => SqlType) | undefined;
  /** how many of the last parameters are constants (`TOPK(x, 3)`): must be literals, passed to make */
  readonly constants?: number | undefined;
  readonly make: (types: ResolvedTypes, constants: readonly (Value | null)[]) => AggregateFold;
}

export interface AggregateFold {
  /** type of the accumulator for append input */
  readonly state: SqlType;
  readonly init: () => Value | null;
  readonly add: (acc: Value | null, args: readonly (Value | null)[], ctx: EvalContext) => Value | null;
  /** Takes away a row that was added before (retracting input). Absent: refused over changing rows. */
  readonly retract?:
    | ((acc: Value | null, args: readonly (Value | null)[], ctx: EvalContext) => Value | null)
    | undefined;
  /** Joins two accumulators (session merge); a holds the earlier rows. */
  readonly merge?: ((a: Value | null, b: Value | null) => Value | null) | undefined;
  readonly result: (acc: Value | null) => Value | null;
  /**
   * A second fold for retracting input where the cheap one cannot take rows away (MIN keeps one value over append
   * input, a multiset over changing rows).
   */
  readonly retracting?: AggregateFold | undefined;
}

export interface AggregateFunction {
  readonly kind: 'aggregate';
  readonly name: string;
  readonly aliases?: readonly string[] | undefined;
  readonly category: string;
  readonly description: string;
  readonly overloads: readonly AggregateOverload[];
  readonly version?: number | undefined;
}

export type FunctionEntry = ScalarFunction | TableFunction | AggregateFunction;
