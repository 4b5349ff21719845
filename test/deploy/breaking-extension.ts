import { type AggregateFunction, STRING } from '../../src/index.ts';

/** FRAGILE(text): the last text; a bug makes it throw at "boom". */
const fragile: AggregateFunction = {
  kind: 'aggregate',
  name: 'FRAGILE',
  category: 'test',
  description: 'The last text; throws at "boom".',
  version: 1,
  overloads: [
    {
      signature: '(STRING) -> STRING',
      make: () => ({
        state: STRING,
        init: () => null,
        add: (_, [text]) => {
          if (text === 'boom') throw new Error('a bug in FRAGILE');
          return text ?? null;
        },
        merge: (_, last) => last,
        result: last => last,
      }),
    },
  ],
};

export const extension = { functions: [fragile] };
