import type { AppendRecord } from '../src/log/event-log.ts';

/** Authorization attempts as a card processor sends them: 8 fields, 185 bytes of JSON each, the same for every run. */

export const EVENT_BYTES = 185;
export const EVENTS_PER_SECOND = 10_000;
export const CARDS = 100_000;
const START = Date.UTC(2026, 0, 1);
/** events come up to this much later than they happened, ms */
const DISORDER = 2_000;

const CURRENCIES = ['EUR', 'USD', 'GBP', 'PLN'];
const COUNTRIES = ['DE', 'FR', 'US', 'GB', 'PL'];
const CHANNELS = ['web', 'pos', 'app'];

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Cards by Zipf's law: the k-th is 1/k times as frequent as the first. */
function zipf(n: number, next: () => number): () => number {
  const cumulative = new Float64Array(n);
  let sum = 0;
  for (let k = 0; k < n; k++) {
    sum += 1 / (k + 1);
    cumulative[k] = sum;
  }
  return () => {
    const at = next() * sum;
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

export function cardNumber(card: number): string {
  return (4_000_000_000_000_000 + ((card * 7_919_717) % 1_000_000_007)).toString();
}

/** A record of a table for each card: who holds it. */
export function* cardHolders(topic: string): Generator<AppendRecord> {
  for (let card = 0; card < CARDS; card++) {
    const value = `{"holder":"holder ${card}","tier":"${card % 10 === 0 ? 'gold' : 'basic'}","credit":${card % 5000}.00}`;
    yield { topic, key: Buffer.from(cardNumber(card)), value: Buffer.from(value), timestamp: START };
  }
}

export interface EventOptions {
  readonly topic: string;
  readonly count: number;
  readonly seed?: number | undefined;
}

export function* authorizationAttempts({ topic, count, seed = 1 }: EventOptions): Generator<AppendRecord> {
  const next = random(seed);
  const card = zipf(CARDS, next);
  for (let i = 0; i < count; i++) {
    const time = START + Math.floor((i * 1000) / EVENTS_PER_SECOND) + Math.floor(next() * DISORDER);
    const number = cardNumber(card());
    const amount = (Math.floor(next() * 50_000) + 1) / 100;
    const head =
      `{"attempt_id":"a-${i.toString().padStart(9, '0')}","card_number":"${number}","amount":${amount.toFixed(2)},` +
      `"currency":"${CURRENCIES[i % 4]}","ts":${time},"merchant":"merchant ${Math.floor(next() * 5000)}`;
    const tail = `","country":"${COUNTRIES[i % 5]}","channel":"${CHANNELS[i % 3]}"}`;
    const value = head.padEnd(EVENT_BYTES - tail.length, '.') + tail;
    yield { topic, key: null, value: Buffer.from(value), timestamp: time };
  }
}
