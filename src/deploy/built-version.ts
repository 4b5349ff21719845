import type { LiveVersion, Since } from '../dataflow/live/epoch-output.ts';
import type { EventLog } from '../log/event-log.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { topicReaders } from './topic-readers.ts';

/** A version that is built now: its folder's name is used by no other. */
export function builtVersion(
  plan: ViewPlan,
  build: {
    readonly log: EventLog;
    readonly views: readonly ViewPlan[];
    readonly text: string | undefined;
    readonly at: number;
    readonly id: number;
  },
): LiveVersion {
  const { log, views, text, at, id } = build;
  const since = sinceOf(plan, views, log);
  return {
    plan,
    text: text ?? plan.sql,
    version: `${encodeURIComponent(plan.name).slice(0, 100)}@${plan.fingerprint.slice(0, 16)}-${at.toString(36)}-${id}`,
    ...(since === null ? {} : { since }),
  };
}

/**
 * Where the history of a view begins that is built now: behind what was trimmed from a topic that it reads, or
 * compacted, where it needs every record. Null: it has all of it.
 */
export function sinceOf(plan: ViewPlan, views: readonly ViewPlan[], log: EventLog): Since | null {
  let since: Since | null = null;
  for (const { name, floor } of log.topics()) {
    if (floor === undefined) continue;
    const reader = topicReaders(name, views).find(r => r.view === plan.name);
    if (reader === undefined) continue;
    const compacted = reader.afterCompaction ? 0 : floor.compacted;
    const position = Math.max(floor.floor, compacted);
    if (position <= (since?.position ?? 0)) continue;
    since = { position, time: position === floor.floor ? floor.since : appendTimeAt(log, position) };
  }
  return since;
}

function appendTimeAt(log: EventLog, position: number): number {
  for (const block of log.read(position, position + 1)) return block.appendTime[0] ?? 0;
  return log.lastAppendTime();
}

export function sinceText({ time }: Since): string {
  return `its history begins at ${new Date(time).toISOString()}: earlier records had been taken from the log when it was built`;
}
