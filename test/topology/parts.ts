import { loadExtensions } from '../../src/dataflow/extension.ts';
import type { ViewState, ViewStatus } from '../../src/deploy/view-access.ts';
import { viewPlanner } from '../../src/deploy/view-planner.ts';
import type { TopicInfo } from '../../src/log/event-log.ts';
import type { ViewPlan } from '../../src/plan/plan.ts';

const { functions } = await loadExtensions([]);

/** Plans of views, by name, over these sources. */
export function planOf(sources: string, views: Readonly<Record<string, string>>): readonly ViewPlan[] {
  const file = (name: string, text: string, folder: string) => ({
    file: `${folder}/${name}.sql`,
    name,
    text,
  });
  const planned = viewPlanner({ functions, zone: 'UTC' })([
    { ...file('sources', sources, 'views/sources'), name: null },
    ...Object.entries(views).map(([name, text]) => file(name, text, 'views')),
  ]);
  const errors = [...planned.errors.values()].flat();
  if (errors.length > 0) throw new Error(errors.map(String).join('\n'));
  return planned.views;
}

export function topic(name: string): TopicInfo {
  return { name, partitions: 1, keyIndex: false, records: 10, ends: [10] };
}

export function httpOf(name: string, position: number, state: ViewState = 'live'): ViewStatus {
  return {
    ...{ name, position, state, statement: 'table', serving: true, file: null, description: '' },
    ...{ fingerprint: null, reads: [], readBy: [], build: null, errors: [], notices: [] },
  };
}
