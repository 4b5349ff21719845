import type { ScopeEvent } from './random-events.ts';
import { DECLARATIONS, planOfScript } from './random-script.ts';
import { printStatement, type ScopeStatement, smallerStatements } from './statement.ts';

export interface GeneratedScript {
  readonly zone: string;
  readonly statements: readonly ScopeStatement[];
  readonly events: readonly ScopeEvent[];
}

export function printScript({ statements }: GeneratedScript): string {
  return `${DECLARATIONS}\n${statements.map(printStatement).join('\n')}`;
}

const MOST_TRIES = 1500;

/** Takes records, statements, clauses and parts of expressions away while the same kind of problem stays. */
export function shrinkScript(
  start: GeneratedScript,
  problem: string,
  check: (candidate: GeneratedScript) => string | null,
): { readonly script: GeneratedScript; readonly problem: string } {
  let best = { script: start, problem };
  const kind = kindOf(problem);
  let tries = 0;
  for (let smaller = true; smaller && tries < MOST_TRIES; ) {
    smaller = false;
    for (const candidate of candidates(best.script)) {
      if (++tries > MOST_TRIES) break;
      if (planOfScript(printScript(candidate), candidate.zone) === null) continue;
      const found = check(candidate);
      if (found === null || kindOf(found) !== kind) continue;
      best = { script: candidate, problem: found };
      smaller = true;
      break;
    }
  }
  return best;
}

/** What differs, not where; of what was thrown its message. */
function kindOf(problem: string): string {
  if (problem.includes('thrown: ')) return problem.split('\n', 1)[0]?.replaceAll(/\d+|"[^"]*"/g, '') ?? '';
  return /(rows|changes|ledger|deadline)/.exec(problem)?.[0] ?? problem;
}

function* candidates(of: GeneratedScript): Generator<GeneratedScript> {
  yield* fewerEvents(of);
  for (const i of of.statements.keys()) {
    if (of.statements.length > 1) yield { ...of, statements: of.statements.toSpliced(i, 1) };
  }
  if (of.zone !== 'UTC') yield { ...of, zone: 'UTC' };
  for (const [i, statement] of of.statements.entries()) {
    for (const smaller of smallerStatements(statement)) {
      yield { ...of, statements: of.statements.with(i, smaller) };
    }
  }
}

function* fewerEvents(of: GeneratedScript): Generator<GeneratedScript> {
  const { events } = of;
  for (let size = Math.ceil(events.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < events.length; at += size) {
      const rest = events.toSpliced(at, size);
      if (rest.length > 0) yield { ...of, events: rest };
    }
  }
}
