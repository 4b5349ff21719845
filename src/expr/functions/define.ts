import type { Value } from '../../core/value.ts';
import type { EvalContext, Lambda, ScalarFunction, ScalarOverload, Signature } from '../functions.ts';

/** The parts of a function besides its overloads. */
export type Described = Omit<ScalarFunction, 'kind' | 'overloads'>;

export function scalar(described: Described, ...overloads: readonly ScalarOverload[]): ScalarFunction {
  return { kind: 'scalar', ...described, overloads };
}

type Run<A extends readonly unknown[]> = (args: A, ctx: EvalContext) => Value | null;
type Evaluator = (args: readonly (Value | Lambda | null)[], ctx: EvalContext) => Value | null;
type Options = Pick<ScalarOverload, 'returns'>;

/**
 * An overload that needs no types and is not called with NULLs. The types of `args` are those of the signature: the
 * registry calls it with nothing else.
 */
export function overload<A extends readonly unknown[]>(
  signature: Signature,
  run: Run<A>,
  options: Options = {},
): ScalarOverload {
  const evaluate = run as unknown as Evaluator;
  return { signature, make: () => evaluate, ...options };
}

/** Like {@link overload}, but called with NULL arguments too. */
export function nullable<A extends readonly unknown[]>(
  signature: Signature,
  run: Run<A>,
  options: Options = {},
): ScalarOverload {
  return { ...overload(signature, run, options), nulls: 'called' };
}

/** An overload whose implementation is chosen by the resolved types. */
export function typed<A extends readonly unknown[]>(
  signature: Signature,
  make: (...types: Parameters<ScalarOverload['make']>) => Run<A>,
  options: Omit<ScalarOverload, 'signature' | 'make'> = {},
): ScalarOverload {
  return { signature, make: make as unknown as ScalarOverload['make'], ...options };
}
