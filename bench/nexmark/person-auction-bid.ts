import { Choices } from './choices.ts';

/**
 * The events of the Nexmark benchmark, after its published generator: of fifty events one is a person, three are
 * auctions, the rest bids; half of the bids go to the hot auction of the moment, three quarters of auctions and bids
 * come from hot people. Times come from the number of an event, so that equal options give equal events.
 */

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  /** ms, as all times here */
  readonly dateTime: number;
  readonly extra: string;
}

export interface Auction {
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  readonly dateTime: number;
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

export interface Bid {
  readonly auction: number;
  readonly bidder: number;
  /** cents */
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: number;
  readonly extra: string;
}

export type NexmarkEvent =
  | { readonly kind: 'person'; readonly at: number; readonly event: Person }
  | { readonly kind: 'auction'; readonly at: number; readonly event: Auction }
  | { readonly kind: 'bid'; readonly at: number; readonly event: Bid };

export interface NexmarkOptions {
  readonly count: number;
  /** in event time; published: 10,000 */
  readonly eventsPerSecond?: number | undefined;
  readonly seed?: number | undefined;
}

const START = Date.UTC(2026, 0, 1, 7, 58);
const [PERSONS, AUCTIONS, BIDS] = [1, 3, 46];
const ROUND = PERSONS + AUCTIONS + BIDS;

const FIRST_ID = 1000;
const FIRST_CATEGORY = 10;
const CATEGORIES = 5;
/** ids may be this much ahead of what there is */
const LEAD = 10;
const IN_FLIGHT = 100;
const ACTIVE_PEOPLE = 1000;
/** the hot ones change as often as this many have come */
const HOT_EVERY = 100;
/** one in so many is not hot */
const HOT = { auction: 2, seller: 4, bidder: 4, channel: 2 };
/** mean size of all fields of an event in bytes */
const BYTES = { person: 200, auction: 500, bid: 100 };

const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
const CITIES = [
  ...['Phoenix', 'Los Angeles', 'San Francisco', 'Boise', 'Portland'],
  ...['Bend', 'Redmond', 'Seattle', 'Kent', 'Cheyenne'],
];
const FIRST_NAMES = [
  ...['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky'],
  ...['Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'],
];
const LAST_NAMES = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris'];
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'];
const CHANNELS = 10_000;

export function* nexmarkEvents(options: NexmarkOptions): Generator<NexmarkEvent> {
  const events = new Events(options);
  for (let n = 0; n < options.count; n++) yield events.event(n);
}

class Events {
  readonly #choose: Choices;
  readonly #msPerEvent: number;
  readonly #hotUrls: readonly string[];

  constructor({ eventsPerSecond = 10_000, seed = 1 }: NexmarkOptions) {
    this.#choose = new Choices(seed);
    this.#msPerEvent = 1000 / eventsPerSecond;
    this.#hotUrls = HOT_CHANNELS.map(() => this.#url());
  }

  event(n: number): NexmarkEvent {
    const at = this.#timeOf(n);
    const place = n % ROUND;
    if (place < PERSONS) return { kind: 'person', at, event: this.#person(n, at) };
    if (place < PERSONS + AUCTIONS) return { kind: 'auction', at, event: this.#auction(n, at) };
    return { kind: 'bid', at, event: this.#bid(n, at) };
  }

  #timeOf(n: number): number {
    return START + Math.floor(n * this.#msPerEvent);
  }

  #person(n: number, dateTime: number): Person {
    const choose = this.#choose;
    const name = `${choose.of(FIRST_NAMES)} ${choose.of(LAST_NAMES)}`;
    const emailAddress = `${choose.word(7)}@${choose.word(5)}.com`;
    const digits = () => choose.below(10_000).toString().padStart(4, '0');
    const creditCard = `${digits()} ${digits()} ${digits()} ${digits()}`;
    const city = choose.of(CITIES);
    const state = choose.of(STATES);
    const texts = name.length + emailAddress.length + creditCard.length + city.length + state.length;
    const extra = choose.filler(BYTES.person - 8 - texts);
    return { id: FIRST_ID + lastPerson(n), name, emailAddress, creditCard, city, state, dateTime, extra };
  }

  #auction(n: number, dateTime: number): Auction {
    const choose = this.#choose;
    const id = FIRST_ID + lastAuction(n);
    const hot = choose.below(HOT.seller) > 0;
    const seller = FIRST_ID + (hot ? hotOf(lastPerson(n)) : this.#somePerson(n));
    const category = FIRST_CATEGORY + choose.below(CATEGORIES);
    const initialBid = this.#price();
    // on average until as many auctions as are open have been offered
    const horizon = this.#timeOf(n + Math.floor((IN_FLIGHT * ROUND) / AUCTIONS)) - dateTime;
    const expires = dateTime + 1 + choose.below(Math.max(horizon * 2, 1));
    const itemName = choose.word(20);
    const description = choose.word(100);
    const reserve = initialBid + this.#price();
    const extra = choose.filler(BYTES.auction - 48 - itemName.length - description.length);
    return {
      ...{ id, itemName, description, initialBid, reserve },
      ...{ dateTime, expires, seller, category, extra },
    };
  }

  #bid(n: number, dateTime: number): Bid {
    const choose = this.#choose;
    const hotAuction = choose.below(HOT.auction) > 0;
    const auction = FIRST_ID + (hotAuction ? hotOf(lastAuction(n)) : this.#someAuction(n));
    // the second of its hundred: hot bidders are not the hot sellers
    const hotBidder = choose.below(HOT.bidder) > 0;
    const bidder = FIRST_ID + (hotBidder ? hotOf(lastPerson(n)) + 1 : this.#somePerson(n));
    const price = this.#price();
    const [channel, url] = this.#channel();
    const extra = choose.filler(BYTES.bid - 32);
    return { auction, bidder, price, channel, url, dateTime, extra };
  }

  /** A person who is active, or will soon be there. */
  #somePerson(n: number): number {
    const people = lastPerson(n) + 1;
    const active = Math.min(people, ACTIVE_PEOPLE);
    return people - active + this.#choose.below(active + LEAD);
  }

  /** An auction that is open, or will soon be there. */
  #someAuction(n: number): number {
    const last = lastAuction(n);
    const first = Math.max(last - IN_FLIGHT, 0);
    return first + this.#choose.below(last - first + 1 + LEAD);
  }

  /** From one to a million dollars, each power of ten as often as the others. */
  #price(): number {
    return Math.round(10 ** (this.#choose.fraction() * 6) * 100);
  }

  #channel(): readonly [channel: string, url: string] {
    const choose = this.#choose;
    if (choose.below(HOT.channel) > 0) {
      const hot = choose.below(HOT_CHANNELS.length);
      return [HOT_CHANNELS[hot] as string, this.#hotUrls[hot] as string];
    }
    const number = choose.below(CHANNELS);
    const id = choose.below(10) > 0 ? `&channel_id=${reversedBits(number)}` : '';
    return [`channel-${number}`, `${this.#url()}${id}`];
  }

  #url(): string {
    const folder = () => this.#choose.word(5, '_');
    return `https://www.nexmark.com/${folder()}/${folder()}/${folder()}/item.htm?query=1`;
  }
}

/** From 0: the last person when event n comes, which it may be itself. */
function lastPerson(n: number): number {
  return Math.floor(n / ROUND) * PERSONS + Math.min(n % ROUND, PERSONS - 1);
}

/** From 0: the last auction when event n comes, which it may be itself. */
function lastAuction(n: number): number {
  const round = Math.floor(n / ROUND);
  const place = n % ROUND;
  if (place < PERSONS) return round * AUCTIONS - 1;
  return round * AUCTIONS + Math.min(place - PERSONS, AUCTIONS - 1);
}

/** The first of the hundred to which the last one belongs. */
function hotOf(last: number): number {
  return Math.floor(Math.max(last, 0) / HOT_EVERY) * HOT_EVERY;
}

function reversedBits(number: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((number >>> bit) & 1);
  return Math.abs(reversed);
}
