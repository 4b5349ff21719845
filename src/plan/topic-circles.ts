import type { ErrorPlace } from '../core/errors.ts';
import { MillraceError } from '../core/errors.ts';
import type { PlanNode, ViewPlan } from './plan.ts';
import { inputsOf } from './properties.ts';

/**
 * Topics that feed themselves: a view must not write a topic from which its own rows come, directly or through other
 * views and declared sources; and no two views may write one topic. The views at fault by name, with their errors.
 */
export function topicFaults(
  views: readonly ViewPlan[],
  placeOf: (view: ViewPlan) => ErrorPlace | undefined,
): ReadonlyMap<string, MillraceError> {
  const faults = new Map<string, MillraceError>();
  const writers = new Map<string, ViewPlan>();
  const reaches = (from: string, to: string, seen: Set<string> = new Set()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return [...writers.values()].some(
      v => v.topics.includes(from) && v.sink !== null && reaches(v.sink.topic, to, seen),
    );
  };
  for (const view of views) {
    const topic = view.sink?.topic;
    if (topic === undefined) continue;
    const place = placeOf(view);
    const other = writers.get(topic);
    if (other) {
      const message = `"${view.name}" and "${other.name}" both write the topic "${topic}"`;
      const hint = "name another one: WITH (KAFKA_TOPIC = '...')";
      faults.set(view.name, new MillraceError('invalid_property', message, { hint, place }));
      continue;
    }
    const source = feedingTopics(view, views).find(t => reaches(topic, t));
    if (source !== undefined) {
      const message = `"${view.name}" writes the topic "${topic}", from which its own rows come`;
      const hint = "name another one: WITH (KAFKA_TOPIC = '...')";
      faults.set(view.name, new MillraceError('invalid_property', message, { hint, place }));
      continue;
    }
    writers.set(topic, view);
  }
  return faults;
}

/** The topics from which the queries of a view read: not its own one, by which records from outside enter. */
function feedingTopics(view: ViewPlan, views: readonly ViewPlan[]): readonly string[] {
  const topics = (node: PlanNode): readonly string[] => {
    if (node.node === 'scan') return node.outside ? [] : [node.source.topic];
    if (node.node === 'read') return views.find(v => v.name === node.view)?.topics ?? [];
    return inputsOf(node).flatMap(topics);
  };
  return topics(view.root);
}
