import { ATTEMPTS_SOURCE } from './fraud.ts';

/** Many views over the card attempts, as a team of analysts would write them: the first is the fraud query itself. */

const KEYS = ['card_number', 'merchant', 'country', 'currency', 'channel'];
const SECONDS = [5, 10, 30, 60];
const AGGREGATES = [
  'COUNT(*) AS attempts, SUM(amount) AS amount',
  'COUNT(*) AS attempts, SUM(amount) AS amount, MAX(amount) AS largest',
  'COUNT(*) AS attempts, AVG(amount) AS mean',
  'COUNT(*) AS attempts, SUM(amount) AS amount, MIN(ts) AS first_at, MAX(ts) AS last_at',
];

/** Each fifth has no filter; the others keep from a tenth to nine tenths of the attempts. */
function filterOf(i: number): string {
  const step = Math.floor(i / 5);
  switch (i % 7) {
    case 0:
      return step % 3 === 0 ? '' : `WHERE amount > ${50 + (step % 40) * 10}.00`;
    case 1:
      return `WHERE country = '${['DE', 'FR', 'US', 'GB', 'PL'][step % 5]}'`;
    case 2:
      return `WHERE channel IN ('web', 'app') AND amount < ${500 - (step % 40) * 10}.00`;
    case 3:
      return `WHERE currency <> '${['EUR', 'USD', 'GBP', 'PLN'][step % 4]}'`;
    case 4:
      return `WHERE amount >= ${100 + (step % 30) * 10}.00`;
    case 5:
      return `WHERE country IN ('DE', 'PL') OR amount > ${400 + (step % 40)}.50`;
    default:
      return '';
  }
}

function variant(i: number): string {
  const key = KEYS[i % KEYS.length] as string;
  const seconds = SECONDS[Math.floor(i / KEYS.length) % SECONDS.length];
  const having =
    key === 'card_number' || key === 'merchant' ? `HAVING COUNT(*) > ${3 + (Math.floor(i / 20) % 5)}` : '';
  return `
CREATE TABLE ${variantName(i)} AS
  SELECT ${key}, ${AGGREGATES[Math.floor(i / 2) % AGGREGATES.length]}
  FROM attempts WINDOW TUMBLING (SIZE ${seconds} SECONDS, GRACE PERIOD 5 SECONDS)
  ${filterOf(i)} GROUP BY ${key} ${having} EMIT CHANGES;`;
}

export function variantName(i: number): string {
  return `view_${i}`;
}

/** These views in one script; by default the first `count`. */
export function variants(count: number, from = 0): string {
  return ATTEMPTS_SOURCE + Array.from({ length: count }, (_, i) => variant(from + i)).join('\n');
}
