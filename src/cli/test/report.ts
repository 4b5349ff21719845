import type { CaseResult } from './ksqldb-runner.ts';

export interface CaseTotals {
  readonly total: number;
  readonly pass: number;
  readonly fail: number;
  readonly error: number;
}

export function totalsOf(results: readonly CaseResult[]): CaseTotals {
  const count = (status: CaseResult['status']) => results.filter(r => r.status === status).length;
  return { total: results.length, pass: count('pass'), fail: count('fail'), error: count('error') };
}

/** One line per case and the totals; machines get JSON lines. */
export function resultLine(result: CaseResult, json: boolean): string {
  if (json) return JSON.stringify(result);
  const head = `${result.status.padEnd(5)} ${result.file}: ${result.name}`;
  if (result.reason === '') return head;
  const lines = result.reason.split('\n').map(line => `      ${line}`);
  return [head, ...lines].join('\n');
}

export function totalsLine(totals: CaseTotals, json: boolean): string {
  if (json) return JSON.stringify(totals);
  const share = totals.total === 0 ? 0 : (100 * totals.pass) / totals.total;
  return `${totals.total} cases: ${totals.pass} pass (${share.toFixed(1)} %), ${totals.fail} fail, ${totals.error} error`;
}
