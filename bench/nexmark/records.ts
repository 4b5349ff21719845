import type { AppendRecord } from '../../src/log/event-log.ts';
import { type NexmarkOptions, nexmarkEvents } from './person-auction-bid.ts';

export const NEXMARK_TOPICS = {
  person: 'nexmark-person',
  auction: 'nexmark-auction',
  bid: 'nexmark-bid',
  sideInput: 'nexmark-side-input',
} as const;

export const SIDE_INPUT_ROWS = 10_000;

/** an event comes in up to this much after it has happened, ms */
const DELAY = 300;

/**
 * Persons, auctions and bids as the auction house sends them, JSON with times in ms. The time of a record is when it
 * came in, which never goes back; that of an event stands in it.
 */
export function* nexmarkRecords(options: NexmarkOptions): Generator<AppendRecord> {
  let arrived = 0;
  let n = 0;
  for (const { kind, at, event } of nexmarkEvents(options)) {
    arrived = Math.max(arrived, at + ((n++ * 7919) % DELAY));
    yield {
      topic: NEXMARK_TOPICS[kind],
      key: null,
      value: Buffer.from(JSON.stringify(event)),
      timestamp: arrived,
    };
  }
}

/** The small table that bids are looked up in: a text for each number. */
export function* sideInputRecords(): Generator<AppendRecord> {
  for (let id = 0; id < SIDE_INPUT_ROWS; id++) {
    yield {
      topic: NEXMARK_TOPICS.sideInput,
      key: Buffer.from(String(id)),
      value: Buffer.from(JSON.stringify({ value: String(id) })),
      timestamp: 0,
    };
  }
}
