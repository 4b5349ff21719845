import { MillraceErrors } from '../../core/errors.ts';
import type { SourceText } from '../../core/span.ts';
import type { FunctionRegistry } from '../../expr/registry.ts';
import { planDeployment, type ViewFile } from '../../plan/deployment.ts';
import { parseStatements } from '../../sql/parse.ts';

export interface ProjectFiles {
  readonly views: readonly ViewFile[];
  /** files that only declare sources */
  readonly sources: readonly SourceText[];
  readonly functions: FunctionRegistry;
  readonly zone: string;
}

/**
 * The project's sources and views as one script, each view behind what it reads: the ground on which view tests stand.
 * Throws `MillraceErrors` when a file is wrong.
 */
export function testPrelude({ views, sources, functions, zone }: ProjectFiles): string {
  const result = planDeployment(views, { functions, zone, sourceFiles: sources });
  if (result.errors.length > 0) throw new MillraceErrors(result.errors);
  const declarations = [...sources, ...views.map(view => view.source)].flatMap(declarationsIn);
  const definitions = result.plan.views.map(view =>
    /^\s*(CREATE|INSERT)\b/i.test(view.sql) ? view.sql : `CREATE VIEW ${view.name} AS ${view.sql}`,
  );
  return [...declarations, ...definitions].map(statement => `${statement.replace(/;\s*$/, '')};`).join('\n');
}

function declarationsIn(source: SourceText): string[] {
  return parseStatements(source)
    .statements.filter(s => s.kind === 'createSource' || s.kind === 'createType')
    .map(s => source.text.slice(s.span.start, s.span.end));
}
