import type { TopicFloor } from '../event-log.ts';
import type { LogDatabase } from './log-environment.ts';
import { afterPrefix, FLOORS, floorKey, numbers, readNumbers, UPKEEP_STATE } from './log-keys.ts';

export const NO_FLOOR: TopicFloor = Object.freeze({ floor: 0, since: 0, starts: [], compacted: 0 });

/** Moves with every change of what is kept, so that readers look again. */
export interface UpkeepState {
  readonly changes: number;
  /** first sequence of the log that is kept */
  readonly start: number;
}

export function upkeepState(db: LogDatabase): UpkeepState {
  const value = db.get(UPKEEP_STATE);
  if (value === undefined) return { changes: 0, start: 0 };
  const [changes = 0, start = 0] = readNumbers(value);
  return { changes, start };
}

export function putUpkeepState(db: LogDatabase, { changes, start }: UpkeepState): void {
  void db.put(UPKEEP_STATE, numbers(changes, start));
}

/** by id of the topic */
export function topicFloors(db: LogDatabase): Map<number, TopicFloor> {
  const floors = new Map<number, TopicFloor>();
  for (const { key, value } of db.getRange({ start: FLOORS, end: afterPrefix(FLOORS) })) {
    floors.set(Buffer.from(key).readUInt32BE(1), JSON.parse(Buffer.from(value).toString()) as TopicFloor);
  }
  return floors;
}

export function topicFloor(db: LogDatabase, topic: number): TopicFloor {
  const value = db.get(floorKey(topic));
  return value === undefined ? NO_FLOOR : (JSON.parse(Buffer.from(value).toString()) as TopicFloor);
}

export function putTopicFloor(db: LogDatabase, topic: number, floor: TopicFloor): void {
  void db.put(floorKey(topic), Buffer.from(JSON.stringify(floor)));
}
