import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorText } from '../../src/core/errors.ts';
import type { LogRecord } from '../../src/core/log-record.ts';
import { createReferenceFold } from '../../src/dataflow/reference/reference-fold.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { blockOf } from '../../src/log/record-block.ts';
import type { DeploymentPlan } from '../../src/plan/plan.ts';
import { REWRITE_RULES, type RewriteRule } from '../../src/plan/rewrite.ts';
import { planScript } from '../../src/plan/script.ts';
import { history, SOURCES, statement } from '../dataflow/engine/random-scripts.ts';

/** Rewrite rules change how a plan works, never what it says: the fold of the plan with and without them. */

const zone = 'Europe/Berlin';
const DUE = Date.parse('2026-11-25') / 86_400_000;
const seed = Number(process.env.MILLRACE_SEED ?? 20_261_125);

function planned(text: string, rules: readonly RewriteRule[]): DeploymentPlan | null {
  return planScript({ file: 'random.sql', text }, { functions: standardLibrary, zone, rules }).plan;
}

function outcome(plan: DeploymentPlan, records: readonly LogRecord[]) {
  const fold = createReferenceFold({ plan, functions: standardLibrary, zone });
  const seen: unknown[] = [];
  for (const record of records) {
    fold.step(blockOf([record]));
    for (const view of plan.views) {
      const changes = fold.takeChanges(view.name);
      seen.push(view.statement === 'stream' ? changes : fold.rows(view.name));
    }
  }
  const ledger = fold.takeLedger().map(e => `${e.view} ${e.reason} ${e.seq}`);
  return { seen, ledger, undecodable: ledger.some(e => e.includes('undecodable')) };
}

describe('the rewrite rules keep every row', () => {
  it('of random queries over random histories', () => {
    let compared = 0;
    fc.assert(
      fc.property(statement, history, (sql, records) => {
        const text = `${SOURCES}${sql}`;
        const plain = planned(text, []);
        const rewritten = planned(text, REWRITE_RULES);
        expect(rewritten === null).toBe(plain === null);
        if (!plain || !rewritten) return;
        const expected = outcome(plain, records);
        // a column that nothing reads is not decoded, so it cannot be wrong either
        fc.pre(!expected.undecodable);
        compared++;
        expect(outcome(rewritten, records)).toEqual(expected);
      }),
      { seed, numRuns: 150 },
    );
    expect(compared).toBeGreaterThan(90);
  });

  const HAND = `CREATE STREAM s (id STRING KEY, k STRING, n INT, d DATE) WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON');
    CREATE TABLE t (id STRING PRIMARY KEY, k STRING, n INT, d DATE) WITH (KAFKA_TOPIC = 's', VALUE_FORMAT = 'JSON');`;

  it.each([
    "CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM s GROUP BY k HAVING k <> 'a';",
    "CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM s GROUP BY k HAVING k <> 'a' AND COUNT(*) > 1;",
    "CREATE TABLE v AS SELECT k, SUM(n) AS c FROM t GROUP BY k HAVING k = 'a' AND SUM(n) > 0;",
    "CREATE VIEW v AS SELECT UCASE(k) AS u, COUNT(*) AS c FROM t GROUP BY UCASE(k) HAVING UCASE(k) IN ('A', 'B');",
    "CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM s WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 0 SECONDS) GROUP BY k HAVING k <> 'a';",
    'CREATE VIEW v AS SELECT DISTINCT k FROM t WHERE n > 0;',
    'CREATE VIEW v AS SELECT k, COUNT(*) AS c FROM s GROUP BY k HAVING k IS NULL;',
    "CREATE VIEW v AS SELECT k, COUNT(*) AS c FROM s GROUP BY k HAVING k <> 'a';",
    "CREATE VIEW v AS SELECT k, COUNT(*) AS c FROM s WHERE n > 0 GROUP BY k HAVING k <> 'a' OR k IS NULL;",
    "CREATE TABLE v AS SELECT k, COUNT(*) AS c FROM s WHERE n > 0 GROUP BY k HAVING k <> 'a';",
    'CREATE VIEW v AS SELECT k, COUNT(*) AS c FROM t WHERE d < CURRENT_DATE AND n > 0 GROUP BY k HAVING k IS NOT NULL;',
    'CREATE STREAM v AS SELECT k, n FROM s WHERE n > 0 PARTITION BY k;',
    "CREATE VIEW v AS SELECT a.id, b.n FROM s a JOIN t b ON a.k = b.k WHERE a.n > 0 AND b.k <> 'a';",
    'CREATE VIEW v AS SELECT a.id, b.n FROM t a JOIN t b ON a.k = b.k WHERE a.n >= b.n;',
    'CREATE VIEW v AS SELECT a.id, b.n FROM t a JOIN t b ON a.k = b.k AND a.n <= b.n WHERE a.k = b.k AND b.n > 0;',
    'CREATE VIEW v AS SELECT a.id, b.n FROM t a LEFT JOIN t b ON a.k = b.k WHERE a.n > 0 AND b.n IS NULL;',
    'CREATE VIEW v AS SELECT a.id, b.n FROM s a RIGHT JOIN t b ON a.n = b.n WHERE a.k IS NULL AND b.n > 0;',
    'CREATE VIEW v AS SELECT a.id, b.n FROM s a FULL JOIN t b ON a.n = b.n WHERE a.n > 0;',
    'CREATE VIEW v AS SELECT a.id, b.n FROM s a, t b, t c WHERE a.k = b.k AND b.k = c.k AND a.n < c.n AND b.n > 0;',
  ])('of %s', sql => {
    const record = fc.record({
      key: fc.constantFrom('1', '2', null),
      k: fc.constantFrom('a', 'b', null),
      n: fc.constantFrom(-1, 1, 5, null),
      dead: fc.boolean(),
      step: fc.constantFrom(0, 300, 2000, 86_400_000),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), rows => {
        let clock = Date.parse('2026-11-24T00:00Z');
        const records = rows.map((r, seq): LogRecord => {
          clock += r.step;
          const value = r.dead ? null : JSON.stringify({ k: r.k, n: r.n, d: DUE });
          return {
            seq,
            topic: 's',
            partition: 0,
            offset: seq,
            timestamp: clock,
            appendTime: clock,
            key: r.key === null ? null : Buffer.from(r.key),
            value: value === null ? null : Buffer.from(value),
            headers: [],
          };
        });
        const text = `${HAND} ${sql}`;
        const { errors } = planScript({ file: 'v.sql', text }, { functions: standardLibrary, zone });
        expect(errors.map(errorText)).toEqual([]);
        const plain = planned(text, []);
        const rewritten = planned(text, REWRITE_RULES);
        if (!plain || !rewritten) throw new Error('not planned');
        expect(rewritten.views[0]?.fingerprint).not.toBe(plain.views[0]?.fingerprint);
        expect(outcome(rewritten, records)).toEqual(outcome(plain, records));
      }),
      { seed, numRuns: 60 },
    );
  });
});
