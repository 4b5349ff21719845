import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorText } from '../../src/core/errors.ts';
import type { SourceText } from '../../src/core/span.ts';
import type { DataflowOptions } from '../../src/dataflow/dataflow.ts';
import { loadExtensions } from '../../src/dataflow/extension.ts';
import { planDeployment } from '../../src/plan/deployment.ts';

export const root = resolve(import.meta.dirname, '../..');

/** The views that ship, planned as the server plans them. */
export async function shippedPlan(zone: string): Promise<DataflowOptions> {
  const modules = ['src/invoice/invoice-extension.ts', 'pipelines/functions/net-of.ts'];
  const { functions, upcasters } = await loadExtensions(modules.map(m => pathToFileURL(join(root, m)).href));
  const files = sqlFiles('views').map(source => ({ name: nameOf(source), source }));
  const { plan, errors } = planDeployment(files, { functions, zone, sourceFiles: sqlFiles('views/sources') });
  if (errors.length > 0) throw new Error(errors.map(errorText).join('\n'));
  return { plan, functions, zone, upcasters };
}

export function shippedViews(): string[] {
  return sqlFiles('views').map(nameOf);
}

function sqlFiles(folder: string): SourceText[] {
  return readdirSync(join(root, folder))
    .filter(name => name.endsWith('.sql') && !name.endsWith('.test.sql'))
    .map(name => ({ file: join(folder, name), text: readFileSync(join(root, folder, name), 'utf8') }));
}

function nameOf({ file }: SourceText): string {
  return file.replace(/^.*\//, '').replace(/\.sql$/, '');
}
