import { standardLibrary } from '../src/expr/library.ts';
import type { DeploymentPlan } from '../src/plan/plan.ts';
import { planScript } from '../src/plan/script.ts';
import { ATTEMPTS } from './history.ts';

/** The query that all contenders answer, as each of them is asked it. */

export const WINDOW = 5_000;
export const MORE_THAN = 3;

export const ATTEMPTS_SOURCE = `
CREATE STREAM attempts (
  attempt_id STRING, card_number STRING, amount DECIMAL(10, 2), currency STRING, ts BIGINT,
  merchant STRING, country STRING, channel STRING
) WITH (kafka_topic = '${ATTEMPTS}', value_format = 'JSON', timestamp = 'ts');
`;

export const FRAUD_SQL = `${ATTEMPTS_SOURCE}
CREATE TABLE possible_fraud AS
  SELECT card_number, COUNT(*) AS attempts, SUM(amount) AS amount
  FROM attempts WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 5 SECONDS)
  GROUP BY card_number HAVING COUNT(*) > 3 EMIT CHANGES;
`;

export interface Attempt {
  readonly card_number: string;
  readonly amount: number;
  readonly ts: number;
}

/** The answer in three numbers; contenders that do not agree on them did not do the same work. */
export interface Groups {
  readonly groups: number;
  readonly attempts: number;
  /** the sum of all amounts, in cents */
  readonly cents: number;
}

export interface Contended extends Groups {
  readonly contender: string;
  readonly events: number;
  /** from the first byte read to the last row where it belongs */
  readonly ms: number;
  /** of all threads of the process in that time */
  readonly cpuMs: number;
  /** most memory that the process held at any time */
  readonly peakMiB: number;
}

export function sameGroups(results: readonly (Groups & { readonly contender: string })[]): void {
  const [first, ...others] = results.map(r => `${r.groups} groups, ${r.attempts} attempts, ${r.cents} cents`);
  results.slice(1).forEach(({ contender }, i) => {
    if (others[i] === first) return;
    throw new Error(`${results[0]?.contender} has ${first}, ${contender} has ${others[i]}`);
  });
}

/** Runs the timed part of a contender. */
export async function timed<T>(
  work: () => T | Promise<T>,
): Promise<{ readonly result: T; readonly ms: number; readonly cpuMs: number; readonly peakMiB: number }> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const result = await work();
  const ms = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpu);
  return { result, ms, cpuMs: (user + system) / 1000, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

export function planned(file: string, text: string): DeploymentPlan {
  const { plan, errors } = planScript({ file, text }, { functions: standardLibrary, zone: 'UTC' });
  if (plan === null) throw new Error(`the query of ${file} is refused: ${errors[0]?.message}`);
  return plan;
}
