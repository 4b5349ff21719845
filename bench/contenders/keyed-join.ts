import type { RecordBlock } from '../../src/core/log-record.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { planned } from '../fraud.ts';

/**
 * A join over so many keys, or beside it a plain group-by of them: `node bench/contenders/keyed-join.ts <kind> <keys>`;
 * blocks are made while no clock runs.
 */

export interface KeyedJoin {
  readonly kind: 'stream-stream' | 'table-table' | 'group-by';
  /** that were timed */
  readonly events: number;
  readonly ms: number;
  /** after them */
  readonly stateBytes: number;
}

const EPOCH = 16_384;
const TIMED = 300_000;
const START = Date.UTC(2026, 0, 1);
const WITHIN = 10_000;

const ORDERS = `order_id STRING, customer STRING, amount DECIMAL(10, 2), ts BIGINT`;
const PAYMENTS = `order_id STRING, method STRING, paid DECIMAL(10, 2), ts BIGINT`;

const STREAMS = `
CREATE STREAM orders (${ORDERS}) WITH (kafka_topic = 'orders', value_format = 'JSON', timestamp = 'ts');
CREATE STREAM payments (${PAYMENTS}) WITH (kafka_topic = 'payments', value_format = 'JSON', timestamp = 'ts');
CREATE STREAM joined AS
  SELECT o.order_id AS order_id, customer, amount, method, paid
  FROM orders o JOIN payments p WITHIN 10 SECONDS GRACE PERIOD 0 SECONDS ON o.order_id = p.order_id EMIT CHANGES;`;

const TABLES = `
CREATE TABLE orders (id STRING PRIMARY KEY, ${ORDERS}) WITH (kafka_topic = 'orders', value_format = 'JSON');
CREATE TABLE payments (id STRING PRIMARY KEY, ${PAYMENTS}) WITH (kafka_topic = 'payments', value_format = 'JSON');
CREATE TABLE joined AS
  SELECT o.id AS id, customer, amount, method, paid FROM orders o JOIN payments p ON o.id = p.id EMIT CHANGES;`;

const GROUPS = `
CREATE STREAM orders (id STRING KEY, ${ORDERS}) WITH (kafka_topic = 'orders', value_format = 'JSON');
CREATE TABLE joined AS SELECT id, COUNT(*) AS n, SUM(amount) AS amount FROM orders GROUP BY id EMIT CHANGES;`;

const SQL: Readonly<Record<KeyedJoin['kind'], string>> = {
  'stream-stream': STREAMS,
  'table-table': TABLES,
  'group-by': GROUPS,
};

interface Event {
  readonly topic: 0 | 1;
  readonly id: number;
  readonly time: number;
}

/** Orders one after the other; the payment of each comes half of the time later that rows wait for each other. */
function* meetings(keys: number): Generator<Event> {
  const perOrder = WITHIN / keys;
  const later = Math.floor(keys / 2);
  for (let order = 0; ; order++) {
    const time = START + Math.floor(order * perOrder);
    yield { topic: 0, id: order, time };
    if (order >= later) yield { topic: 1, id: order - later, time };
  }
}

/** A row of every key in both tables, then changes of them without order. */
function* changes(keys: number): Generator<Event> {
  for (let id = 0; id < keys; id++) {
    yield { topic: 0, id, time: START };
    yield { topic: 1, id, time: START };
  }
  for (let i = 0; ; i++) {
    // a full cycle through all keys in an order without pattern
    yield { topic: i % 2 === 0 ? 0 : 1, id: (i * 7_919_717 + 12_345) % keys, time: START + i };
  }
}

/** The same changes, all of one topic. */
function* ofOneTopic(keys: number): Generator<Event> {
  for (const event of changes(keys)) yield { ...event, topic: 0 };
}

const EVENTS: Readonly<Record<KeyedJoin['kind'], (keys: number) => Iterator<Event>>> = {
  'stream-stream': meetings,
  'table-table': changes,
  'group-by': ofOneTopic,
};

/** The next records in one block, 110 bytes of JSON each. */
function block(events: Iterator<Event>, firstSeq: number): RecordBlock {
  const bytes = Buffer.alloc(EPOCH * 150);
  const columns = () => new Int32Array(EPOCH);
  const [topic, keyStart, keyEnd, valueStart, valueEnd] = [
    columns(),
    columns(),
    columns(),
    columns(),
    columns(),
  ];
  const [timestamp, offset, appendTime] = [
    new Float64Array(EPOCH),
    new Float64Array(EPOCH),
    new Float64Array(EPOCH),
  ];
  let at = 0;
  for (let i = 0; i < EPOCH; i++) {
    const event = events.next().value as Event;
    const id = `order-${event.id.toString().padStart(9, '0')}`;
    const cents = ((event.id * 37 + i) % 100_000) / 100;
    topic[i] = event.topic;
    keyStart[i] = at;
    at += bytes.write(id, at, 'latin1');
    keyEnd[i] = at;
    valueStart[i] = at;
    const own =
      event.topic === 0
        ? `"customer":"customer ${event.id % 5000}","amount":${cents.toFixed(2)}`
        : `"method":"card","paid":${cents.toFixed(2)}`;
    at += bytes.write(`{"order_id":"${id}",${own},"ts":${event.time}}`, at, 'latin1');
    valueEnd[i] = at;
    timestamp[i] = event.time;
    appendTime[i] = event.time;
    offset[i] = firstSeq + i;
  }
  return {
    ...{ firstSeq, n: EPOCH, bytes, topics: ['orders', 'payments'], topic, partition: columns(), offset },
    ...{ timestamp, appendTime, keyStart, keyEnd, valueStart, valueEnd, headers: null },
  };
}

function measured(kind: KeyedJoin['kind'], keys: number): KeyedJoin {
  const plan = planned('joined.sql', SQL[kind]);
  const engine = createEngine({
    plan,
    functions: standardLibrary,
    zone: 'UTC',
    writesTopic: () => false,
  });
  const events = EVENTS[kind](keys);
  let seq = 0;
  const step = (): number => {
    const next = block(events, seq);
    const begun = performance.now();
    const { changes } = engine.step(next);
    const ms = performance.now() - begun;
    seq += EPOCH;
    if (seq > keys * 3 && (changes.get('joined') ?? []).length === 0) throw new Error('nothing met');
    return ms;
  };
  // all keys are there, and the code is warm
  const filled = Math.max(keys * 2.5, 200_000);
  while (seq < filled) step();
  let ms = 0;
  const from = seq;
  while (seq < from + TIMED) ms += step();
  const stateBytes = engine.stateSize().reduce((sum, { bytes }) => sum + bytes, 0);
  return { kind, events: seq - from, ms, stateBytes };
}

if (import.meta.main) {
  const [kind = '', keys = '0'] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(measured(kind as KeyedJoin['kind'], Number(keys)))}\n`);
}
