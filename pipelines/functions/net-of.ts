import type { ScalarFunction, SqlType } from '../../src/index.ts';

/**
 * NET_OF(gross, rate): the net amount in a gross amount, at a tax rate in percent; exact, rounded half away from zero to
 * the scale of the gross amount. An example of an own scalar function: DECIMAL values are unscaled bigints.
 */
export const netOf: ScalarFunction = {
  kind: 'scalar',
  name: 'NET_OF',
  category: 'money',
  description: 'The net amount in a gross amount, at a tax rate in percent.',
  version: 1,
  overloads: [
    {
      signature: '(DECIMAL, DECIMAL) -> DECIMAL',
      returns: args => args[0] as SqlType,
      make: ({ args }) => {
        const rate = args[1];
        const hundred = 100n * 10n ** BigInt(rate?.kind === 'DECIMAL' ? rate.scale : 0);
        return ([gross, percent], ctx) => {
          const divisor = hundred + (percent as bigint);
          if (divisor <= 0n) return ctx.fail('NET_OF: the tax rate must be above -100 percent');
          return divideHalfUp((gross as bigint) * hundred, divisor);
        };
      },
    },
  ],
};

function divideHalfUp(numerator: bigint, divisor: bigint): bigint {
  const half = numerator < 0n ? -divisor : divisor;
  return (2n * numerator + half) / (2n * divisor);
}

export const extension = { functions: [netOf] };
