import { ViewFailure } from '../dataflow/view-failure.ts';
import type { EventLog } from '../log/event-log.ts';
import type { SourceSpec, ViewPlan } from '../plan/plan.ts';

/**
 * Creates the topics that sources read and views write, where they are missing. Throws {@link ViewFailure} for a view
 * whose topic cannot be made; a source without a topic is reported and stays empty.
 */
export function prepareTopics(
  log: EventLog,
  planned: { readonly sources: readonly SourceSpec[]; readonly views: readonly ViewPlan[] },
  report: (text: string) => void,
): void {
  const prepare = ({ topic, partitions }: { readonly topic: string; readonly partitions: number }): void => {
    if (log.topic(topic) === null) log.createTopic({ name: topic, partitions, keyIndex: false });
  };
  for (const source of planned.sources) {
    try {
      prepare(source);
    } catch (error) {
      report(`the topic of ${source.name} cannot be made: ${String(error)}`);
    }
  }
  for (const view of planned.views) {
    try {
      if (view.sink !== null) prepare(view.sink);
    } catch (error) {
      throw new ViewFailure(view.name, error);
    }
  }
}
