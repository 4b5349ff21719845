import { MillraceErrors } from '../../core/errors.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import type { AppendRecord } from '../../log/event-log.ts';
import type { DeploymentPlan } from '../../plan/plan.ts';
import { planScript } from '../../plan/script.ts';
import { functionsWithSettings } from './function-settings.ts';
import { insertedRecords } from './inserted-records.ts';
import type { KsqldbCase } from './ksqldb-case.ts';

export interface PlannedCase {
  readonly plan: DeploymentPlan;
  /** the records of INSERT VALUES, in order; they stand before the inputs */
  /** under the case's settings */
  readonly functions: FunctionRegistry;
  readonly inserts: readonly AppendRecord[];
}

/** Plans a case's statements. Throws what the planner refuses. */
export function planCase(test: KsqldbCase, library: FunctionRegistry): PlannedCase {
  const functions = functionsWithSettings(library, test.properties);
  const source = { file: test.file, text: test.statements.join('\n') };
  const script = planScript(source, {
    functions,
    zone: 'UTC',
    properties: Object.fromEntries(test.properties),
  });
  if (script.plan === null) throw new MillraceErrors(script.errors);
  return {
    plan: script.plan,
    functions,
    inserts: script.steps.flatMap(step => insertedRecords(step, functions)),
  };
}
