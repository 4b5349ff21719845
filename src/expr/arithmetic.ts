import { BugError } from '../core/assert.ts';
import type { SqlType } from '../core/sql-type.ts';
import { typeText } from '../core/sql-type.ts';
import type { Value } from '../core/value.ts';
import { castBetween, isBigint, isInt } from './cast.ts';
import { decimalOf } from './coercion.ts';
import {
  addDecimals,
  type DecimalOperands,
  divideDecimals,
  fitsPrecision,
  formatDecimal,
  multiplyDecimals,
  remainderDecimals,
  subtractDecimals,
} from './decimal.ts';
import type { ArithmeticOp } from './expr.ts';
import type { EvalContext } from './functions.ts';

/**
 * `a op b` without NULLs. A result that its type does not hold is NULL and is reported: INT and BIGINT do not wrap around
 * as in ksqlDB (Java), because a silently wrong sum is worse than none; so is a division of an exact number by zero.
 * DOUBLE follows IEEE 754: x / 0 is an infinity or NaN. Integer division cuts towards zero and `%` has the sign of `a`.
 */
export type Arithmetic = (a: Value, b: Value, ctx: EvalContext) => Value | null;

export interface ArithmeticTypes {
  readonly left: SqlType;
  readonly right: SqlType;
  readonly result: SqlType;
}

export function arithmetic(op: ArithmeticOp, types: ArithmeticTypes): Arithmetic {
  switch (types.result.kind) {
    case 'STRING':
      return (a, b) => (a as string) + (b as string);
    case 'INT':
      return intArithmetic(op);
    case 'BIGINT':
      return withOperands(types, bigintArithmetic(op));
    case 'DOUBLE':
      return withOperands(types, doubleArithmetic(op));
    case 'DECIMAL':
      return decimalArithmetic(op, types);
    default:
      throw new BugError(`no arithmetic of ${typeText(types.result)}`);
  }
}

/** Casts operands that are narrower than the result. */
function withOperands({ left, right, result }: ArithmeticTypes, apply: Arithmetic): Arithmetic {
  if (left.kind === result.kind && right.kind === result.kind) return apply;
  const castLeft = castBetween(left, result);
  const castRight = castBetween(right, result);
  return (a, b, ctx) => {
    const x = castLeft(a, ctx);
    const y = castRight(b, ctx);
    return x === null || y === null ? null : apply(x, y, ctx);
  };
}

function byZero(ctx: EvalContext): null {
  return ctx.fail('division by zero');
}

function intArithmetic(op: ArithmeticOp): Arithmetic {
  const apply = INT_OPERATIONS[op];
  const divides = op === '/' || op === '%';
  return (a, b, ctx) => {
    const x = a as number;
    const y = b as number;
    if (divides && y === 0) return byZero(ctx);
    const result = apply(x, y);
    return isInt(result) ? result : ctx.fail(`${x} ${op} ${y} is out of the range of INT`);
  };
}

/** `+ 0` makes -0 to 0; a product beyond 2^53 is rounded but far out of range anyway. */
const INT_OPERATIONS: Record<ArithmeticOp, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b + 0,
  '/': (a, b) => Math.trunc(a / b) + 0,
  '%': (a, b) => (a % b) + 0,
};

const BIGINT_OPERATIONS: Record<ArithmeticOp, (a: bigint, b: bigint) => bigint> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

function bigintArithmetic(op: ArithmeticOp): Arithmetic {
  const apply = BIGINT_OPERATIONS[op];
  const divides = op === '/' || op === '%';
  return (a, b, ctx) => {
    const x = a as bigint;
    const y = b as bigint;
    if (divides && y === 0n) return byZero(ctx);
    const result = apply(x, y);
    return isBigint(result) ? result : ctx.fail(`${x} ${op} ${y} is out of the range of BIGINT`);
  };
}

const DOUBLE_OPERATIONS: Record<ArithmeticOp, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

function doubleArithmetic(op: ArithmeticOp): Arithmetic {
  const apply = DOUBLE_OPERATIONS[op];
  return (a, b) => apply(a as number, b as number);
}

const DECIMAL_OPERATIONS: Record<ArithmeticOp, (operands: DecimalOperands) => bigint> = {
  '+': addDecimals,
  '-': subtractDecimals,
  '*': multiplyDecimals,
  '/': divideDecimals,
  '%': remainderDecimals,
};

function decimalArithmetic(op: ArithmeticOp, { left, right, result }: ArithmeticTypes): Arithmetic {
  const aType = decimalOf(left);
  const bType = decimalOf(right);
  if (!aType || !bType || result.kind !== 'DECIMAL')
    throw new BugError('DECIMAL arithmetic needs exact numbers');
  const apply = DECIMAL_OPERATIONS[op];
  const divides = op === '/' || op === '%';
  const unscaled = (v: Value) => (typeof v === 'bigint' ? v : BigInt(v as number));
  return (a, b, ctx) => {
    const x = unscaled(a);
    const y = unscaled(b);
    if (divides && y === 0n) return byZero(ctx);
    const value = apply({ a: x, aScale: aType.scale, b: y, bScale: bType.scale, scale: result.scale });
    return fitsPrecision(value, result.precision)
      ? value
      : ctx.fail(`${formatDecimal(value, result.scale)} does not fit ${typeText(result)}`);
  };
}

/** `-a`. */
export function negation(type: SqlType): (a: Value, ctx: EvalContext) => Value | null {
  switch (type.kind) {
    case 'INT':
      return (a, ctx) =>
        a === -(2 ** 31) ? ctx.fail('2147483648 is out of the range of INT') : 0 - (a as number);
    case 'BIGINT':
      return (a, ctx) =>
        isBigint(-(a as bigint))
          ? -(a as bigint)
          : ctx.fail(`${-(a as bigint)} is out of the range of BIGINT`);
    case 'DECIMAL':
      return a => -(a as bigint);
    case 'DOUBLE':
      return a => -(a as number);
    default:
      throw new BugError(`no arithmetic of ${typeText(type)}`);
  }
}
