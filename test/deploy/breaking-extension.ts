import { existsSync, writeFileSync } from 'node:fs';
import { BugError } from '../../src/core/assert.ts';
import { type AggregateFunction, type ScalarFunction, STRING } from '../../src/index.ts';

/**
 * FRAGILE(text): the last text. At "boom" an assertion fails, which is the view's end; at "exit FILE" its thread ends,
 * unless the file is there already.
 */
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
          if (text === 'boom') throw new BugError('a bug in FRAGILE');
          const file = /^exit (.*)/.exec(String(text))?.[1];
          if (file !== undefined && !existsSync(file)) {
            writeFileSync(file, '');
            process.exit(1);
          }
          return text ?? null;
        },
        merge: (_, last) => last,
        result: last => last,
      }),
    },
  ],
};

const pause = Number(process.env.SLOWLY ?? 0);
let calls = 0;
const asleep = new Int32Array(new SharedArrayBuffer(4));

/** SLOWLY(text): the text. Each thousandth call takes as many milliseconds as SLOWLY says: threads that start have time to. */
const slowly: ScalarFunction = {
  kind: 'scalar',
  name: 'SLOWLY',
  category: 'test',
  description: 'Its argument, after some time.',
  version: 1,
  overloads: [
    {
      signature: '(STRING) -> STRING',
      make:
        () =>
        ([text]) => {
          if (pause > 0 && ++calls % 1_000 === 0) Atomics.wait(asleep, 0, 0, pause);
          return typeof text === 'string' ? text : null;
        },
    },
  ],
};

export const extension = { functions: [fragile, slowly] };
