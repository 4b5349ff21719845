import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { errorText, MillraceError, MillraceErrors } from '../../src/core/errors.ts';
import { Ledger } from '../../src/dataflow/ledger.ts';
import { AdHocQueries } from '../../src/deploy/ad-hoc-queries.ts';
import type { ServedVersion } from '../../src/deploy/served-version.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';

const SOURCES = `CREATE STREAM payments (customer STRING, amount DECIMAL(10, 2)) WITH (kafka_topic='payments', value_format='JSON');`;
const TOTALS = 'SELECT customer, SUM(amount) AS total FROM payments GROUP BY customer;';

/** A log with payments, and a view `totals` that serves the rows given. */
function queries(rows: readonly (readonly [string, bigint])[] = []) {
  const clock = new ManualClock(1_000);
  const log = createMemoryLog({ clock });
  log.createTopic({ name: 'payments', partitions: 1, keyIndex: false });
  for (const [customer, amount] of [
    ['a', '1.10'],
    ['b', '2.20'],
    ['a', '0.05'],
  ] as const) {
    log.append({
      records: [
        { topic: 'payments', key: null, value: Buffer.from(`{"customer":"${customer}","amount":${amount}}`) },
      ],
    });
  }
  const ledger = new Ledger();
  ledger.add({ view: 'totals', reason: 'late', seq: 3, appendTime: 0, message: 'too late' });
  const served = {
    *allRows() {
      for (const row of rows) yield { row, rowtime: 0 };
    },
  } as unknown as ServedVersion;
  return new AdHocQueries({
    log,
    clock,
    functions: standardLibrary,
    zone: 'UTC',
    views: {
      plannedFiles: () => [
        { name: null, file: 'sources.sql', text: SOURCES },
        { name: 'totals', file: 'totals.sql', text: TOTALS },
      ],
      open: () => served,
      position: () => 3,
      ledger: () => ledger,
    },
  });
}

function refusal(sql: string): string {
  try {
    queries().run(sql);
  } catch (error) {
    if (error instanceof MillraceErrors) return error.errors.map(errorText).join('\n');
    if (error instanceof MillraceError) return errorText(error);
    throw error;
  }
  throw new Error('it ran');
}

describe('an ad hoc query', () => {
  it('reads the last records of a topic', () => {
    const { columns, rows } = queries().run(
      'SELECT customer, SUM(amount) AS total FROM payments GROUP BY customer ORDER BY total',
    );
    expect(columns.map(c => c.name)).toEqual(['customer', 'total']);
    expect(rows).toEqual([
      ['a', 115n],
      ['b', 220n],
    ]);
  });

  it('reads the rows that a view serves', () => {
    const { rows } = queries([
      ['x', 500n],
      ['y', 100n],
      ['z', 300n],
    ]).run('SELECT customer, total FROM totals WHERE total > 1 ORDER BY total DESC LIMIT 1 OFFSET 1');
    expect(rows).toEqual([['z', 300n]]);
  });

  it('reads the ledger', () => {
    expect(
      queries().run('SELECT view, reason, SUM(records) AS n FROM ledger GROUP BY view, reason').rows,
    ).toEqual([['totals', 'late', 1n]]);
    expect(queries().run('SELECT sequence, message FROM ledger_records').rows).toEqual([[3n, 'too late']]);
  });

  it('says where it is wrong', () => {
    expect(refusal('SELECT custmer FROM payments ORDER BY 1')).toContain(
      '<query>:1:8: unknown column "custmer"',
    );
    expect(refusal('SELECT customer FROM payments ORDER BY amount + 1')).toContain(
      'ORDER BY takes output columns',
    );
    expect(refusal('DROP STREAM payments;')).toContain('one SELECT is expected');
    expect(refusal('SELECT customer FROM payments; SELECT 1 FROM payments;')).toContain('<query>:1:32');
  });
});
