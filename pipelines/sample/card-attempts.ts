import type { Random } from './random.ts';
import { DAY, type Step } from './step.ts';

const MERCHANTS = [
  'Corner Bakery',
  'City Transit',
  'Book Barn',
  'Cinema Lux',
  'Fuel Stop',
  'Web Shop',
  'Ticket Desk',
];
const COUNTRIES = ['DE', 'DE', 'DE', 'AT', 'CH', 'FR', 'NL', 'GB', 'US'];
const WINDOW = 5_000;

/**
 * Authorization attempts of the `days` before `until`: most of them alone, some in bursts on one card. Every second
 * burst falls within one window of five seconds, the others lie across two.
 */
export function cardAttempts(
  random: Random,
  options: { until: number; days: number; count: number },
): Step[] {
  const { until, days, count } = options;
  const from = until - days * DAY;
  const cards = Array.from({ length: 5_000 }, () => cardNumber(random));
  const steps: Step[] = [];
  for (let burst = 0; burst < 80; burst++) {
    const card = random.pick(cards);
    const window = Math.floor((from + random.next() * (until - from - DAY / 24)) / WINDOW) * WINDOW;
    let at = window + (burst % 2 === 0 ? random.whole(0, 800) : random.whole(2_500, 4_500));
    for (let i = random.whole(4, 8); i > 0; i--) {
      steps.push(attempt(random, card, at));
      at += random.whole(150, 550);
    }
  }
  while (steps.length < count) {
    steps.push(attempt(random, random.pick(cards), Math.floor(from + random.next() * (until - from))));
  }
  return steps;
}

function attempt(random: Random, card: string, at: number): Step {
  const cents = random.whole(50, random.chance(0.1) ? 90_000 : 9_000);
  return {
    at,
    record: {
      topic: 'authorization-attempts',
      key: card,
      value: {
        card_number: card,
        amount: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
        currency: 'EUR',
        merchant: random.pick(MERCHANTS),
        country: random.pick(COUNTRIES),
      },
    },
  };
}

/** Sixteen digits in a range that no issuer uses. */
function cardNumber(random: Random): string {
  return `0${String(random.whole(0, 9_999_999)).padStart(7, '0')}${String(random.whole(0, 99_999_999)).padStart(8, '0')}`;
}
