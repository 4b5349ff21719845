import { MillraceError } from '../../core/errors.ts';
import type { SqlType } from '../../core/sql-type.ts';
import { typeText } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { comparator, equality } from '../compare.ts';
import type { ScalarFunction } from '../functions.ts';
import { nullable, overload, scalar, typed } from './define.ts';

/** Functions of any type: choices among values, and NULLs. */
export const comparisonFunctions: readonly ScalarFunction[] = [
  extreme('GREATEST', 'The largest of the values, leaving out NULLs; NULL when all are.', 1),
  extreme('LEAST', 'The smallest of the values, leaving out NULLs; NULL when all are.', -1),
  scalar(
    { name: 'COALESCE', category: 'NULL', description: 'The first value that is not NULL.' },
    nullable<(Value | null)[]>('(T...) -> T', values => values.find(v => v !== null) ?? null),
  ),
  scalar(
    {
      name: 'IFNULL',
      category: 'NULL',
      description: 'The first value, or the second where the first is NULL.',
    },
    nullable<[Value | null, Value | null]>('(T, T) -> T', ([value, other]) => value ?? other),
  ),
  scalar(
    {
      name: 'NULLIF',
      category: 'NULL',
      description: 'NULL where both values are equal, else the first one.',
    },
    typed<[Value | null, Value | null]>(
      '(T, T) -> T',
      ({ args: [type] }) => {
        const same = type ? equality(type) : Object.is;
        return ([a, b]) => (a !== null && b !== null && same(a, b) ? null : a);
      },
      { nulls: 'called' },
    ),
  ),
  scalar(
    {
      name: 'SINGLE_ROW',
      category: 'NULL',
      description: 'The value, unless there are several rows: then NULL, and an entry in the ledger.',
    },
    nullable<[bigint | null, Value | null]>('(BIGINT, T) -> T', ([rows, value], ctx) =>
      rows !== null && rows > 1n ? ctx.fail(`a subquery in the place of a value has ${rows} rows`) : value,
    ),
  ),
  scalar(
    {
      name: 'AS_VALUE',
      category: 'FUNCTIONAL',
      description: 'A copy of a key column for the value of the row.',
    },
    overload<[Value]>('(T) -> T', ([value]) => value),
  ),
];

function extreme(name: string, description: string, sign: 1 | -1): ScalarFunction {
  const overload = typed<(Value | null)[]>(
    '(T...) -> T',
    ({ returns }) => {
      const compare = comparator(returns);
      return values => {
        let best: Value | null = null;
        for (const value of values) {
          if (value !== null && (best === null || compare(value, best) * sign > 0)) best = value;
        }
        return best;
      };
    },
    { nulls: 'called', returns: args => orderedType(name, args) },
  );
  return scalar({ name, category: 'CONDITIONAL', description }, overload);
}

/** All arguments have been brought to one type. */
function orderedType(name: string, [type]: readonly SqlType[]): SqlType {
  if (
    !type ||
    type.kind === 'ARRAY' ||
    type.kind === 'MAP' ||
    type.kind === 'STRUCT' ||
    type.kind === 'BOOLEAN'
  ) {
    throw new MillraceError('type_mismatch', `${name} does not take ${type ? typeText(type) : 'nothing'}`, {
      hint: 'it compares numbers, strings, bytes, dates and times',
    });
  }
  return type;
}
