import { describe, expect, it } from 'vitest';
import type { MillraceError } from '../../src/core/errors.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { tooManyChanges } from '../../src/dataflow/fewer-at-once.ts';
import { ViewFailure } from '../../src/dataflow/view-failure.ts';
import { prepareCase } from '../cases/case-runner.ts';

const SOURCES = ['a', 'b'].map(
  topic => `CREATE STREAM ${topic} (k INT, v INT) WITH (kafka_topic = '${topic}', value_format = 'JSON');`,
);

/** What an engine says to a view over `rows` records of each stream, in turns, all of one key, read as one block. */
function failureOf(view: string, rows: number): unknown {
  const { options, log } = prepareCase({
    name: 'hot key',
    statements: [...SOURCES, view],
    records: Array.from({ length: rows * 2 }, (_, i) => ({
      topic: i % 2 === 0 ? 'a' : 'b',
      value: { k: 1, v: i },
      timestamp: 0,
    })),
  });
  const engine = createEngine(options);
  try {
    for (const block of log.read(0)) engine.step(block);
    return null;
  } catch (error) {
    return error;
  }
}

describe('a join of one key with very many rows on both sides', () => {
  const kinds = [
    ['of a view', 'CREATE VIEW j AS SELECT a.v AS v, b.v AS w FROM a JOIN b ON a.k = b.k;'],
    [
      'of streams',
      'CREATE STREAM j AS SELECT a.k, a.v AS v, b.v AS w FROM a JOIN b WITHIN 1 DAY ON a.k = b.k EMIT CHANGES;',
    ],
  ] as const;

  it.each(kinds)('%s gives a million changes at a time', (_, view) => {
    expect(failureOf(view, 1_000)).toBe(null);
  });

  it.each(kinds)('%s ends beyond that, with a hint, before memory does', (_, view) => {
    const failure = failureOf(view, 2_010);
    expect(failure).toBeInstanceOf(ViewFailure);
    expect((failure as ViewFailure).view).toBe('j');
    const { code, message, hint } = (failure as ViewFailure).cause as MillraceError;
    expect({ code, message }).toEqual({
      code: 'limit_exceeded',
      message: 'a few records change more than 4,000,000 rows of the view',
    });
    // a build goes on with fewer records at a time
    expect(tooManyChanges(failure)?.limit.fewerHelp).toBe(true);
    expect(hint).toMatch(/^very many rows of both sides have one key/);
  });
});
