import { MillraceError } from '../core/errors.ts';
import type { FunctionRegistry } from '../expr/registry.ts';
import { type DeploymentResult, planDeployment } from '../plan/deployment.ts';
import type { SourceSpec } from '../plan/plan.ts';
import type { Planner, ViewFileText } from './planned-views.ts';

export interface PlannerOptions {
  readonly functions: FunctionRegistry;
  /** IANA zone of CURRENT_DATE */
  readonly zone: string;
  /** sources declared outside of `views/` */
  readonly sources?: readonly SourceSpec[] | undefined;
}

/** Plans view files as they are discovered. */
export function viewPlanner(options: PlannerOptions): Planner {
  return files => {
    const { plan, errors } = planFiles(files, options);
    const byFile = new Map<string, MillraceError[]>();
    for (const error of errors) {
      const file = error.place?.source.file ?? '';
      byFile.set(file, [...(byFile.get(file) ?? []), error]);
    }
    return { sources: plan.sources, views: plan.views, errors: byFile };
  };
}

export function planFiles(files: readonly ViewFileText[], options: PlannerOptions): DeploymentResult {
  const source = ({ file, text }: ViewFileText) => ({ file, text });
  const readable = files.filter(f => f.unreadable === undefined);
  const result = planDeployment(
    readable.flatMap(f => (f.name === null ? [] : [{ name: f.name, source: source(f) }])),
    { ...options, sourceFiles: readable.filter(f => f.name === null).map(source) },
  );
  const faults = files.flatMap(f =>
    f.unreadable === undefined
      ? []
      : [
          new MillraceError('invalid_statement', f.unreadable, {
            place: { source: source(f), span: { start: 0, end: 0 } },
          }),
        ],
  );
  return { ...result, errors: [...result.errors, ...faults] };
}
