import { assert } from '../../core/assert.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { decimal, MAX_PRECISION } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { divideHalfUp, fitsPrecision, parseDecimal, pow10, rescale } from '../decimal.ts';
import type { EvalContext, ScalarFunction, ScalarOverload } from '../functions.ts';
import { overload, scalar, typed } from './define.ts';
import { seededFraction } from './seeded.ts';

const category = 'MATHEMATICAL';
const MAX_INT = 2 ** 31 - 1;
const MAX_BIGINT = 2n ** 63n - 1n;

/** How a cut-off fraction changes the integral part: the sign of what was cut, against half a unit where it matters. */
type Rounding = (unscaled: bigint, power: bigint) => bigint;

const floor: Rounding = (n, power) => {
  const quotient = n / power;
  return n < 0n && quotient * power !== n ? quotient - 1n : quotient;
};
const ceiling: Rounding = (n, power) => -floor(-n, power);
const towardsZero: Rounding = (n, power) => n / power;
/** Halves go up (towards positive), as ksqlDB rounds: -1.5 is -1. */
const halfUp: Rounding = (n, power) => floor(2n * n + power, 2n * power);
const halfAway: Rounding = divideHalfUp;

export const numberFunctions: readonly ScalarFunction[] = [
  scalar(
    { name: 'ABS', category, description: 'The value without its sign.' },
    overload<[number]>('(INT) -> INT', ([n], ctx) =>
      n < -MAX_INT ? ctx.fail('ABS: the result does not fit INT') : Math.abs(n),
    ),
    overload<[bigint]>('(BIGINT) -> BIGINT', ([n], ctx) => {
      return n < -MAX_BIGINT ? ctx.fail('ABS: the result does not fit BIGINT') : n < 0n ? -n : n;
    }),
    overload<[bigint]>('(DECIMAL) -> DECIMAL', ([n]) => (n < 0n ? -n : n)),
    overload<[number]>('(DOUBLE) -> DOUBLE', ([n]) => Math.abs(n)),
  ),
  scalar(
    { name: 'SIGN', category, description: '-1, 0 or 1: the sign of the value.' },
    overload<[number]>('(INT) -> INT', ([n]) => Math.sign(n)),
    overload<[bigint]>('(BIGINT) -> INT', ([n]) => (n > 0n ? 1 : n < 0n ? -1 : 0)),
    overload<[bigint]>('(DECIMAL) -> INT', ([n]) => (n > 0n ? 1 : n < 0n ? -1 : 0)),
    overload<[number]>('(DOUBLE) -> INT', ([n], ctx) =>
      Number.isNaN(n) ? ctx.fail('SIGN: NaN has no sign') : Math.sign(n) + 0,
    ),
  ),
  wholeNumber(
    'CEIL',
    ['CEILING'],
    'The smallest integral number that is not less; the type stays.',
    Math.ceil,
    ceiling,
  ),
  wholeNumber(
    'FLOOR',
    [],
    'The largest integral number that is not greater; the type stays.',
    Math.floor,
    floor,
  ),
  scalar(
    {
      name: 'ROUND',
      category,
      complete: 'ROUND_HALF_AWAY',
      description:
        'Rounded to an integer, or to a number of decimal places (negative: before the point); halves go up, so -1.5 is -1.',
    },
    ...toInteger('ROUND', n => Math.floor(n + 0.5), halfUp, 1),
    ...toPlaces('ROUND', halfUp),
  ),
  scalar(
    {
      name: 'ROUND_HALF_AWAY',
      category,
      description:
        'ROUND of PostgreSQL: DECIMALs with halves away from zero (-1.5 is -2), DOUBLEs to the nearest integer with halves to the even one.',
    },
    overload<[number]>('(INT) -> INT', ([n]) => n),
    overload<[bigint]>('(BIGINT) -> BIGINT', ([n]) => n),
    decimalToInteger('ROUND_HALF_AWAY', halfAway, 1),
    overload<[number]>('(DOUBLE) -> DOUBLE', ([n]) => halfEven(n)),
    ...toPlaces('ROUND_HALF_AWAY', halfAway),
  ),
  scalar(
    {
      name: 'TRUNC',
      category,
      description: 'Cut to an integer, or to a number of decimal places (negative: before the point).',
    },
    ...toInteger('TRUNC', Math.trunc, towardsZero, 0),
    ...toPlaces('TRUNC', towardsZero),
  ),
  scalar(
    {
      name: 'MOD',
      category,
      description: 'The rest of a division, with the sign of the first argument; NULL when the second is 0.',
    },
    overload<[number, number]>('(INT, INT) -> INT', ([a, b], ctx) => (b === 0 ? byZero(ctx) : (a % b) + 0)),
    overload<[bigint, bigint]>('(BIGINT, BIGINT) -> BIGINT', ([a, b], ctx) =>
      b === 0n ? byZero(ctx) : a % b,
    ),
    typed<[bigint, bigint]>(
      '(DECIMAL, DECIMAL) -> DECIMAL',
      ({ args, returns }) => {
        const [a = 0, b = 0] = args.map(scaleOf);
        const scale = scaleOf(returns);
        return ([x, y], ctx) => (y === 0n ? byZero(ctx) : rescale(x, a, scale) % rescale(y, b, scale));
      },
      { returns: ([a, b]) => remainderType(a, b) },
    ),
    overload<[number, number]>('(DOUBLE, DOUBLE) -> DOUBLE', ([a, b], ctx) =>
      b === 0 ? byZero(ctx) : a % b,
    ),
  ),
  scalar(
    {
      name: 'RANDOM',
      category,
      description:
        'A random DOUBLE from 0 to below 1: the same for the same record and call site, so that replays agree.',
      deterministic: false,
    },
    {
      signature: '() -> DOUBLE',
      make:
        ({ site }) =>
        (_, ctx) =>
          seededFraction(ctx.seq, site),
    },
  ),
  scalar(
    {
      name: 'GEO_DISTANCE',
      category,
      description:
        'The great-circle distance of two points given as latitude, longitude, latitude, longitude in degrees; in KM (default) or MILES.',
    },
    overload<Coordinates>('(DOUBLE, DOUBLE, DOUBLE, DOUBLE) -> DOUBLE', (at, ctx) => distance(at, 'km', ctx)),
    overload<[...Coordinates, string]>(
      '(DOUBLE, DOUBLE, DOUBLE, DOUBLE, STRING) -> DOUBLE',
      ([a, b, c, d, unit], ctx) => distance([a, b, c, d], unit, ctx),
    ),
  ),
];

function byZero(ctx: EvalContext): null {
  return ctx.fail('MOD: division by zero');
}

function scaleOf(type: SqlType): number {
  assert(type.kind === 'DECIMAL', 'a DECIMAL argument');
  return type.scale;
}

function precisionOf(type: SqlType): number {
  assert(type.kind === 'DECIMAL', 'a DECIMAL argument');
  return type.precision;
}

function remainderType(a: SqlType | undefined, b: SqlType | undefined): SqlType {
  assert(a && b, 'two arguments');
  const scale = Math.max(scaleOf(a), scaleOf(b));
  const integral = Math.max(precisionOf(a) - scaleOf(a), precisionOf(b) - scaleOf(b));
  return decimal(Math.min(MAX_PRECISION, Math.max(1, integral + scale)), scale);
}

function checked(name: string, unscaled: bigint, type: SqlType, ctx: EvalContext): bigint | null {
  return fitsPrecision(unscaled, precisionOf(type))
    ? unscaled
    : ctx.fail(`${name}: the result has more than ${precisionOf(type)} digits`);
}

function wholeNumber(
  name: string,
  aliases: readonly string[],
  description: string,
  ofDouble: (n: number) => number,
  rounding: Rounding,
): ScalarFunction {
  return scalar(
    { name, aliases, category, description },
    overload<[number]>('(INT) -> INT', ([n]) => n),
    overload<[bigint]>('(BIGINT) -> BIGINT', ([n]) => n),
    typed<[bigint]>('(DECIMAL) -> DECIMAL', ({ returns }) => {
      const power = pow10(scaleOf(returns));
      return ([n], ctx) => checked(name, rounding(n, power) * power, returns, ctx);
    }),
    overload<[number]>('(DOUBLE) -> DOUBLE', ([n]) => ofDouble(n)),
  );
}

/** Overloads that give integers; `carry`: digits that rounding may add in front. */
function toInteger(
  name: string,
  ofDouble: (n: number) => number,
  rounding: Rounding,
  carry: number,
): ScalarOverload[] {
  return [
    overload<[number]>('(INT) -> BIGINT', ([n]) => BigInt(n)),
    overload<[bigint]>('(BIGINT) -> BIGINT', ([n]) => n),
    decimalToInteger(name, rounding, carry),
    overload<[number]>('(DOUBLE) -> BIGINT', ([n], ctx) => {
      const whole = ofDouble(n);
      // 2^63 itself is a double and does not fit
      return whole >= -(2 ** 63) && whole < 2 ** 63
        ? BigInt(whole)
        : ctx.fail(`${name}: ${n} does not fit BIGINT`);
    }),
  ];
}

function decimalToInteger(name: string, rounding: Rounding, carry: number): ScalarOverload {
  return typed<[bigint]>(
    '(DECIMAL) -> DECIMAL',
    ({ args: [type], returns }) => {
      assert(type, 'one argument');
      const power = pow10(scaleOf(type));
      return ([n], ctx) => checked(name, rounding(n, power), returns, ctx);
    },
    {
      returns: ([type]) => {
        assert(type, 'one argument');
        const integral = precisionOf(type) - scaleOf(type) + (scaleOf(type) > 0 ? carry : 0);
        return decimal(Math.min(MAX_PRECISION, Math.max(1, integral)), 0);
      },
    },
  );
}

function halfEven(n: number): number {
  const below = Math.floor(n);
  if (n - below !== 0.5) return Math.round(n);
  return below % 2 === 0 ? below : below + 1;
}

/** Overloads with a number of decimal places; the type stays that of the argument, as in ksqlDB. */
function toPlaces(name: string, rounding: Rounding): ScalarOverload[] {
  return [
    typed<[bigint, number]>(
      '(DECIMAL, INT) -> DECIMAL',
      ({ returns }) => {
        const scale = scaleOf(returns);
        return ([n, places], ctx) => {
          if (places >= scale) return n;
          if (places < -MAX_PRECISION) return 0n;
          const power = pow10(scale - places);
          return checked(name, rounding(n, power) * power, returns, ctx);
        };
      },
      { returns: ([type]) => type ?? decimal(MAX_PRECISION, 0) },
    ),
    overload<[number, number]>('(DOUBLE, INT) -> DOUBLE', ([n, places]) =>
      placesOfDouble(n, places, rounding),
    ),
  ];
}

/** By the shortest digits that stand for the double: 1.005 has three places, whatever its binary value. */
function placesOfDouble(n: number, places: number, rounding: Rounding): number {
  const digits = Number.isFinite(n) ? parseDecimal(String(n)) : null;
  if (!digits || places >= digits.scale) return n;
  if (places < -400) return 0;
  const rounded = rounding(digits.unscaled, pow10(digits.scale - places));
  return Number(`${rounded}e${-places}`);
}

type Coordinates = [number, number, number, number];

/** Effective radius of the Earth. */
const RADIUS: Readonly<Record<string, number>> = {
  km: 6371,
  kilometer: 6371,
  kilometers: 6371,
  kilometre: 6371,
  kilometres: 6371,
  mi: 3959,
  mile: 3959,
  miles: 3959,
};

/** The haversine formula. */
function distance([lat1, lon1, lat2, lon2]: Coordinates, unit: string, ctx: EvalContext): Value | null {
  if ([lat1, lat2].some(lat => !(Math.abs(lat) <= 90)))
    return ctx.fail('GEO_DISTANCE: a latitude is -90 to 90');
  if ([lon1, lon2].some(lon => !(Math.abs(lon) <= 180)))
    return ctx.fail('GEO_DISTANCE: a longitude is -180 to 180');
  const name = unit.trim().toLowerCase();
  const radius = Object.hasOwn(RADIUS, name) || name === '' ? RADIUS[name || 'km'] : undefined;
  if (radius === undefined) return ctx.fail('GEO_DISTANCE: the unit is KM or MILES');
  const haversine = (degrees: number) => Math.sin(radians(degrees) / 2) ** 2;
  const a =
    haversine(lat2 - lat1) + haversine(lon2 - lon1) * Math.cos(radians(lat1)) * Math.cos(radians(lat2));
  return 2 * Math.asin(Math.sqrt(a)) * radius;
}

/** In the steps of Java's Math.toRadians, so that results agree to the last digit. */
export function radians(degrees: number): number {
  return (degrees / 180) * Math.PI;
}
