import { standardLibrary } from '../../../src/expr/library.ts';
import type { DeploymentPlan } from '../../../src/plan/plan.ts';
import { planScript, type ScriptPlan } from '../../../src/plan/script.ts';
import type { Random } from '../generator/random.ts';
import { randomStatement } from './random-statement.ts';
import { declarationOf, SOURCES } from './sources.ts';
import { printStatement, type ScopeStatement } from './statement.ts';

export const DECLARATIONS = SOURCES.map(declarationOf).join('\n');

/** Refused statements are made anew; so many times in all. */
const MOST_TRIES = 60;

/** What the planner said to statements that were tried: a generator that is mostly refused tests little. */
export class Refusals {
  taken = 0;
  readonly #codes = new Map<string, { count: number; example: string }>();

  get refused(): number {
    return [...this.#codes.values()].reduce((sum, { count }) => sum + count, 0);
  }

  add(message: string, example: string): void {
    const kind = message.replaceAll(/"[^"]*"|\d+/g, '_').slice(0, 90);
    const seen = this.#codes.get(kind);
    this.#codes.set(kind, { count: (seen?.count ?? 0) + 1, example: seen?.example ?? example });
  }

  toString(): string {
    const most = [...this.#codes].sort((a, b) => b[1].count - a[1].count).slice(0, 12);
    return most.map(([kind, { count, example }]) => `${count} x ${kind}\n      ${example}`).join('\n');
  }
}

/** One to six statements, each over sources or over those before it, all of which the planner takes. */
export function randomStatements(
  random: Random,
  zone: string,
  refusals: Refusals,
): readonly ScopeStatement[] {
  const statements: ScopeStatement[] = [];
  const wanted = random.of([1, 1, 2, 2, 3, 4, 6]);
  let text = DECLARATIONS;
  let planned = plan(text, zone);
  for (let tries = 0; statements.length < wanted && tries < MOST_TRIES; tries++) {
    const statement = randomStatement(random, `v${statements.length + 1}`, [...planned.catalog.relations()]);
    if (statement === null) continue;
    const printed = printStatement(statement);
    const next = plan(`${text}\n${printed}`, zone);
    const [error] = next.errors;
    if (error) {
      refusals.add(`${error.code} ${error.message}`, printed);
      continue;
    }
    refusals.taken++;
    statements.push(statement);
    text = `${text}\n${printed}`;
    planned = next;
  }
  return statements;
}

/** The plan of a script, or null when it is refused. */
export function planOfScript(script: string, zone: string): DeploymentPlan | null {
  return plan(script, zone).plan;
}

function plan(text: string, zone: string): ScriptPlan {
  return planScript({ file: 'random.sql', text }, { functions: standardLibrary, zone });
}
