import type { LogAct } from '../event-log.ts';
import type { LogDatabase } from './log-environment.ts';
import { ACTS, actKey, afterPrefix, UPKEEP_WORK, workKey } from './log-keys.ts';

/** So many acts are remembered. */
const REMEMBERED = 10_000;

/** What is still to be done for an act: the records are refused already, their room is not yet free. */
export interface UpkeepWork {
  readonly kind: 'trim' | 'compact';
  /** id of the topic */
  readonly topic: number;
  /** sequence */
  readonly before: number;
  /** compaction: tombstones below this sequence go, where the log holds no older record of their key */
  readonly tombstonesBefore: number;
}

/** the last ones, oldest first */
export function storedActs(db: LogDatabase): LogAct[] {
  const acts: LogAct[] = [];
  for (const { value } of db.getRange({
    start: afterPrefix(ACTS),
    end: ACTS,
    reverse: true,
    limit: REMEMBERED,
  })) {
    acts.push(JSON.parse(Buffer.from(value).toString()) as LogAct);
  }
  return acts.reverse();
}

/** Within a transaction: writes an act down. */
export function putAct(db: LogDatabase, act: LogAct): void {
  void db.put(actKey(act.n), Buffer.from(JSON.stringify(act)));
  if (act.n >= REMEMBERED) void db.remove(actKey(act.n - REMEMBERED));
}

export function storedWork(db: LogDatabase): UpkeepWork[] {
  const work: UpkeepWork[] = [];
  for (const { value } of db.getRange({ start: UPKEEP_WORK, end: afterPrefix(UPKEEP_WORK) })) {
    work.push(JSON.parse(Buffer.from(value).toString()) as UpkeepWork);
  }
  return work;
}

/** Within a transaction. */
export function putWork(db: LogDatabase, work: UpkeepWork): void {
  void db.put(keyOf(work), textOf(work));
}

/** Within a transaction: it is done, unless more was asked for meanwhile. */
export function crossOff(db: LogDatabase, work: UpkeepWork): void {
  const stored = db.get(keyOf(work));
  if (stored !== undefined && textOf(work).equals(stored)) void db.remove(keyOf(work));
}

function keyOf({ topic, kind }: UpkeepWork): Buffer {
  return workKey(topic, kind === 'compact' ? 1 : 0);
}

function textOf(work: UpkeepWork): Buffer {
  return Buffer.from(JSON.stringify(work));
}
