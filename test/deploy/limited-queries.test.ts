import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/errors.ts';
import { LimitedQueries } from '../../src/deploy/limited-queries.ts';

const ANSWER = { columns: [], rows: [['a']], position: 3, truncated: false };

/** a pattern that backtracks for longer than any test runs */
const endless = () => /^(x+x+)+y/u.test('x'.repeat(60));

describe('ad hoc queries within a limit of time', () => {
  it('answer what the query answers', () => {
    const asked: string[] = [];
    const run = (sql: string) => {
      asked.push(sql);
      return ANSWER;
    };
    expect(new LimitedQueries({ run }).run('SELECT 1')).toBe(ANSWER);
    expect(asked).toEqual(['SELECT 1']);
  });

  it('refuse as the query refuses', () => {
    const refusal = new MillraceError('unknown_column', 'no');
    const run = () => {
      throw refusal;
    };
    expect(() => new LimitedQueries({ run }).run('')).toThrow(refusal);
  });

  it('are stopped in the middle of one regular expression, and the next one runs', () => {
    let calls = 0;
    const run = () => {
      if (++calls === 1) endless();
      return ANSWER;
    };
    const queries = new LimitedQueries({ run }, { maxTime: 50 });
    expect(() => queries.run('')).toThrow(
      expect.objectContaining({ code: 'limit_exceeded', message: 'the query took longer than 50 ms' }),
    );
    expect(queries.run('')).toBe(ANSWER);
  });
});
