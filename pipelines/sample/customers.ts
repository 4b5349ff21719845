import type { Random } from './random.ts';

export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly currency: string;
  /** how it pays: days after the due date, how often not at all */
  readonly daysLate: readonly [from: number, to: number];
  readonly neverPays: number;
}

const FIRST =
  'Alpine Amber Atlas Baltic Birch Cobalt Coral Delta Ember Fjord Golden Harbour Juniper Lantern Maple';
const SECOND =
  'Books Brewing Ceramics Cycles Events Foods Gardens Instruments Logistics Optics Press Theatre';
const FORMS = ['GmbH', 'AG', 'Ltd', 'BV', 'SARL', 'KG'];
const CURRENCIES = ['EUR', 'EUR', 'EUR', 'EUR', 'EUR', 'EUR', 'USD', 'USD', 'GBP', 'CHF', 'JPY'];

const HABITS = [
  { daysLate: [-12, -2], neverPays: 0 }, // early
  { daysLate: [-6, 1], neverPays: 0.01 }, // in time
  { daysLate: [-3, 6], neverPays: 0.03 },
  { daysLate: [4, 25], neverPays: 0.15 }, // late
] as const;

export function sampleCustomers(random: Random, count: number): readonly Customer[] {
  const [first, second] = [FIRST.split(' '), SECOND.split(' ')];
  return Array.from({ length: count }, (_, i) => {
    const [a, b] = [
      first[i % first.length] ?? '',
      second[Math.floor(i / first.length) % second.length] ?? '',
    ];
    return {
      id: `cu-${String(i + 1).padStart(3, '0')}`,
      name: `${a} ${b} ${random.pick(FORMS)}`,
      email: `accounts@${a}-${b}.example.org`.toLowerCase(),
      currency: random.pick(CURRENCIES),
      ...random.pick(HABITS),
    };
  });
}
