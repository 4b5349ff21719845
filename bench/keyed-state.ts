import type { LogRecord } from '../src/core/log-record.ts';
import { createEngine } from '../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../src/expr/library.ts';
import { blockOf } from '../src/log/record-block.ts';
import { cardNumber } from './events.ts';
import { ATTEMPTS_SOURCE, planned } from './fraud.ts';
import { ATTEMPTS } from './history.ts';

/**
 * How much memory the state of so many keys holds: `node --expose-gc bench/keyed-state.ts <keys>`, alone in a process.
 * COUNT and SUM(DECIMAL) per card of 16 digits; every card comes twice.
 */

export interface KeyedState {
  readonly keys: number;
  /** what the JavaScript heap and the memory outside it grew by, after a full collection */
  readonly heldBytes: number;
  /** what the process grew by, as the operating system sees it */
  readonly residentBytes: number;
  /** what the engine says of itself */
  readonly stateBytes: number;
}

const SQL = `${ATTEMPTS_SOURCE}
CREATE TABLE per_card AS SELECT card_number, COUNT(*) AS attempts, SUM(amount) AS amount FROM attempts
  GROUP BY card_number EMIT CHANGES;`;
const EPOCH = 8_192;

const keys = Number(process.argv[2]);
const collect = globalThis.gc;
if (collect === undefined) throw new Error('run it with --expose-gc');
const engine = createEngine({
  plan: planned('per_card.sql', SQL),
  functions: standardLibrary,
  zone: 'UTC',
  writesTopic: () => false,
});

function step(first: number, n: number): void {
  const records: LogRecord[] = [];
  for (let i = 0; i < n; i++) {
    const value = `{"card_number":"${cardNumber((first + i) % keys)}","amount":${(i % 900) + 1}.25,"ts":${first + i}}`;
    records.push({
      seq: first + i,
      topic: ATTEMPTS,
      partition: 0,
      offset: first + i,
      timestamp: first + i,
      appendTime: 0,
      key: null,
      value: Buffer.from(value),
      headers: [],
    });
  }
  engine.step(blockOf(records));
}

function held() {
  for (let i = 0; i < 3; i++) collect?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { bytes: heapUsed + external, rss };
}

// code, and what an epoch needs anyway, are no state
step(0, Math.min(EPOCH, keys));
const before = held();
const warm = engine.stateSize().reduce((sum, s) => sum + s.rows, 0);
for (let first = Math.min(EPOCH, keys); first < 2 * keys; first += EPOCH) {
  step(first, Math.min(EPOCH, 2 * keys - first));
}
const after = held();
const sizes = engine.stateSize();
const rows = sizes.reduce((sum, s) => sum + s.rows, 0);
if (rows !== keys) throw new Error(`${rows} rows of state for ${keys} keys`);
const state: KeyedState = {
  keys: rows - warm,
  heldBytes: after.bytes - before.bytes,
  residentBytes: after.rss - before.rss,
  stateBytes: sizes.reduce((sum, s) => sum + s.bytes, 0),
};
process.stdout.write(`${JSON.stringify(state)}\n`);
