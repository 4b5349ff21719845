import {
  arrayOf,
  BIGINT,
  DOUBLE,
  decimal,
  INT,
  type SqlType,
  STRING,
  structOf,
} from '../../src/core/sql-type.ts';
import type { Value } from '../../src/core/value.ts';
import type {
  AggregateFold,
  AggregateFunction,
  FunctionEntry,
  ScalarFunction,
  TableFunction,
} from '../../src/expr/functions.ts';
import { valueText } from '../../src/expr/value-text.ts';

/**
 * What the conformance cases call beside the library: the functions of ksqlDB's test jar, as a user of Millrace would
 * add functions of his own.
 */

type Args = readonly (Value | null)[];

const A_STRUCT: SqlType = structOf([{ name: 'A', type: STRING }]);
const A_STRUCT_TEXT = 'STRUCT<A STRING>';

const described = (name: string, description: string) => ({ name, description, category: 'test' });

const overloadName = (signature: string, name: string) => ({ signature, make: () => () => name });

const testUdf: ScalarFunction = {
  kind: 'scalar',
  ...described('TEST_UDF', 'names the overload that was chosen'),
  overloads: [
    overloadName('(INT, STRING) -> STRING', 'doStuffIntString'),
    overloadName('(BIGINT, STRING) -> STRING', 'doStuffLongString'),
    overloadName('(BIGINT, BIGINT, STRING) -> STRING', 'doStuffLongLongString'),
    overloadName('(BIGINT...) -> STRING', 'doStuffLongVarargs'),
    {
      signature: `(${A_STRUCT_TEXT}) -> STRING`,
      make:
        () =>
        ([struct]) =>
          (struct as Args)[0] ?? null,
    },
    { signature: `() -> ${A_STRUCT_TEXT}`, returns: () => A_STRUCT, make: () => () => ['foo'] },
  ],
};

const badUdf: ScalarFunction = {
  kind: 'scalar',
  ...described('BAD_UDF', 'fails for an INT and for true; of texts every other one becomes NULL'),
  overloads: [
    {
      signature: '(INT) -> STRING',
      make: () => () => {
        throw new Error('boom!');
      },
    },
    {
      signature: '(BOOLEAN) -> INT',
      make:
        () =>
        ([fails]) => {
          if (fails === true) throw new Error('asked to fail');
          return 0;
        },
    },
    {
      signature: '(STRING) -> STRING',
      make: () => {
        let calls = 0;
        return ([text]) => (calls++ % 2 === 0 ? null : (text as string));
      },
    },
  ],
};

/** Returns its first argument; fails when the second says that it must not be evaluated. */
function guarded(name: string, type: string): ScalarFunction {
  return {
    kind: 'scalar',
    ...described(name, 'fails when it should not have been evaluated'),
    overloads: [
      {
        signature: `(${type}, BOOLEAN) -> ${type}`,
        make:
          () =>
          ([value, allowed]) => {
            if (allowed !== true) throw new Error('should not be evaluated');
            return value as Value;
          },
      },
    ],
  };
}

const toStruct: ScalarFunction = {
  kind: 'scalar',
  ...described('TOSTRUCT', 'a struct with the text as field A'),
  overloads: [
    {
      signature: `(STRING) -> ${A_STRUCT_TEXT}`,
      returns: () => A_STRUCT,
      make:
        () =>
        ([text]) => [text as string],
    },
  ],
};

const PLAIN = ['INT', 'BIGINT', 'DOUBLE', 'BOOLEAN', 'STRING', 'DECIMAL', A_STRUCT_TEXT];

/** Each argument as text, one row each; `pick` takes the value out of a list or map first. */
function textRows(
  parameters: readonly string[],
  pick: (value: Value, type: SqlType) => [Value | null, SqlType],
) {
  return {
    signature: `(${parameters.join(', ')}) -> STRING`,
    make:
      ({ args: types }: { readonly args: readonly SqlType[] }) =>
      (args: Args) =>
        args.map((arg, i) => {
          if (arg === null) return null;
          const [value, type] = pick(arg, types[i] ?? STRING);
          return value === null ? 'null' : valueText(type)(value);
        }),
  };
}

function oneRow(type: string, returns: (args: readonly SqlType[]) => SqlType) {
  return {
    signature: `(${type}) -> ${type}`,
    returns,
    make: () => (args: Args) => (args[0] === null || args[0] === undefined ? [] : [args[0]]),
  };
}

const testUdtf: TableFunction = {
  kind: 'table',
  ...described('TEST_UDTF', 'its arguments as rows'),
  overloads: [
    textRows(PLAIN, (value, type) => [value, type]),
    textRows(
      PLAIN.map(type => `ARRAY<${type}>`),
      (value, type) => [(value as Args)[0] ?? null, type.kind === 'ARRAY' ? type.element : type],
    ),
    textRows(
      PLAIN.map(type => `MAP<STRING, ${type}>`),
      (value, type) => [
        (value as ReadonlyMap<Value, Value | null>).values().next().value ?? null,
        type.kind === 'MAP' ? type.value : type,
      ],
    ),
    oneRow('INT', () => INT),
    oneRow('BIGINT', () => BIGINT),
    oneRow('DOUBLE', () => DOUBLE),
    oneRow('BOOLEAN', ([type]) => type ?? INT),
    oneRow('STRING', () => STRING),
    oneRow('DECIMAL', () => decimal(30, 10)),
    oneRow(A_STRUCT_TEXT, () => A_STRUCT),
  ],
};

/** A running total of one number per row. */
function total(state: SqlType, zero: Value, ofRow: (args: Args) => Value | null): AggregateFold {
  const plus = (a: Value | null, b: Value | null): Value =>
    typeof a === 'bigint' ? a + (b as bigint) : (a as number) + (b as number);
  return {
    state,
    init: () => zero,
    add: (acc, args) => {
      const value = ofRow(args);
      return value === null ? acc : plus(acc, value);
    },
    merge: plus,
    result: acc => acc,
  };
}

const textLengths = (args: Args) =>
  args.reduce<bigint>((sum, text) => sum + BigInt(text === null ? 0 : (text as string).length), 0n);

const varArg: AggregateFunction = {
  kind: 'aggregate',
  ...described('VAR_ARG', 'sum of the numbers and of the lengths of the texts'),
  overloads: [
    {
      signature: '(BIGINT) -> BIGINT',
      make: () => total(BIGINT, 0n, ([first]) => (first as bigint | null) ?? 0n),
    },
    {
      signature: '(BIGINT, STRING...) -> BIGINT',
      make: () =>
        total(BIGINT, 0n, ([first, ...texts]) => ((first as bigint | null) ?? 0n) + textLengths(texts)),
    },
  ],
};

const midVarArg: AggregateFunction = {
  kind: 'aggregate',
  ...described('MID_VAR_ARG', 'sum of the numbers and of the lengths of the texts, plus two constants'),
  overloads: [
    {
      signature: '(BIGINT, STRING..., INT, INT) -> BIGINT',
      constants: 2,
      make: (_, constants) => {
        const sum = total(
          BIGINT,
          0n,
          ([first, ...texts]) => ((first as bigint | null) ?? 0n) + textLengths(texts),
        );
        const more = constants.reduce<bigint>((all, constant) => all + BigInt(constant as number), 0n);
        return { ...sum, result: acc => (acc as bigint) + more };
      },
    },
  ],
};

const multiArg: AggregateFunction = {
  kind: 'aggregate',
  ...described('MULTI_ARG', 'sum of the numbers and of the lengths of the texts'),
  overloads: [
    {
      signature: '(BIGINT, STRING, INT) -> DOUBLE',
      constants: 1,
      make: () =>
        total(DOUBLE, 0, ([first = null, text = null]) =>
          first === null || text === null ? null : Number(first) + (text as string).length,
        ),
    },
  ],
};

/** The first arguments of the rows in which no argument is NULL. */
function completeRows(element: SqlType): AggregateFold {
  return {
    state: arrayOf(element),
    init: () => [],
    add: (acc, args) => (args.includes(null) ? acc : [...(acc as Args), args[0] ?? null]),
    merge: (a, b) => [...(a as Args), ...(b as Args)],
    result: acc => acc,
  };
}

const firstOf = (types: readonly SqlType[]) => types[0] ?? INT;

function completeRowsFunction(name: string, signatures: readonly string[]): AggregateFunction {
  return {
    kind: 'aggregate',
    ...described(name, 'the first arguments of the rows in which no argument is NULL'),
    overloads: signatures.map(signature => ({
      signature,
      returns: types => arrayOf(firstOf(types)),
      make: ({ args }) => completeRows(firstOf(args)),
    })),
  };
}

const testUdaf: AggregateFunction = {
  kind: 'aggregate',
  ...described('TEST_UDAF', 'sums'),
  overloads: [
    {
      signature: '(BIGINT) -> BIGINT',
      make: () => ({
        ...total(BIGINT, 0n, ([value]) => value as bigint | null),
        retract: (acc, [value]) => (value === null ? acc : (acc as bigint) - (value as bigint)),
      }),
    },
    {
      signature: '(INT) -> BIGINT',
      make: () => ({
        ...total(BIGINT, 0n, ([value]) => (value === null ? null : BigInt(value as number))),
        retract: (acc, [value]) => (value === null ? acc : (acc as bigint) - BigInt(value as number)),
      }),
    },
    { signature: '(DOUBLE) -> DOUBLE', make: () => total(DOUBLE, 0, ([value]) => value as number | null) },
    {
      signature: '(STRING, STRING) -> BIGINT',
      constants: 1,
      make: (_, [initial]) =>
        total(BIGINT, textLengths([initial ?? null]), ([text = null]) => textLengths([text])),
    },
  ],
};

export const testFunctions: readonly FunctionEntry[] = [
  testUdf,
  badUdf,
  guarded('WHENCONDITION', 'BOOLEAN'),
  guarded('WHENRESULT', 'INT'),
  toStruct,
  testUdtf,
  varArg,
  midVarArg,
  multiArg,
  completeRowsFunction('GENERIC_VAR_ARG', ['(A, B, C...) -> ARRAY<A>']),
  completeRowsFunction('OBJ_COL_ARG', ['(INT) -> ARRAY<INT>', '(INT, ANY...) -> ARRAY<INT>']),
  testUdaf,
];

/** As `millrace test --format ksqldb` loads them. */
export const extension = { functions: testFunctions };
