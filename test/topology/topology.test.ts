import { describe, expect, it } from 'vitest';
import { topologyText } from '../../src/cli/topology.ts';
import { Throughput } from '../../src/throughput.ts';
import { topologyOf } from '../../src/topology.ts';
import { httpOf, planOf, topic } from './parts.ts';

const PLANS = planOf(
  `CREATE STREAM orders (id STRING KEY, customer STRING, amount INT)
     WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
   CREATE TABLE names (id STRING PRIMARY KEY, name STRING)
     WITH (KAFKA_TOPIC = 'names', VALUE_FORMAT = 'JSON', PARTITIONS = 1);`,
  {
    large: "CREATE STREAM large WITH (KAFKA_TOPIC = 'large') AS SELECT * FROM orders WHERE amount > 50;",
    totals: 'CREATE TABLE totals AS SELECT customer, COUNT(*) AS n FROM large GROUP BY customer;',
    named:
      'CREATE TABLE named AS SELECT t.customer, n.name, t.n FROM totals t JOIN names n ON t.customer = n.id;',
  },
);

function parts() {
  return {
    ...{
      topics: ['orders', 'names', 'large', 'totals', 'named', 'commands', 'events'].map(topic),
      plans: PLANS,
    },
    views: [httpOf('large', 10), httpOf('totals', 10), httpOf('named', 7, 'paused')],
    handlers: [{ name: 'invoice', reads: 'commands', writes: ['events'], position: 9 }],
    reactions: [],
    sinks: [],
    replicated: [],
    outputs: [],
    behind: (_: string, position: number) => 10 - position,
    rates: new Map([
      ['topic orders', 12.5],
      ['view large', 3],
    ]),
  };
}

describe('the topology', () => {
  it('has an edge for all that is read and written, each with its lag and rate', () => {
    const { edges } = topologyOf(parts());
    expect(edges.map(e => `${e.from} > ${e.to}: ${e.lag}, ${e.rate}`)).toEqual([
      'topic commands > handler invoice: 1, null',
      'handler invoice > topic events: 0, null',
      'topic orders > view large: 0, 12.5',
      'view large > topic large: 0, null',
      'view large > view totals: 0, 3',
      'view totals > topic totals: 0, null',
      'topic names > view named: 3, null',
      'view totals > view named: 3, null',
      'view named > topic named: 0, null',
    ]);
  });

  it('goes from Kafka to sinks and reactions', () => {
    const sink = {
      name: 'kept',
      view: 'TOTALS',
      place: 'postgres public.totals',
      state: 'retrying',
    } as const;
    const rest = { position: 4, behind: 6, loaded: null, changes: 0, loads: 0, failure: null, notice: null };
    const reaction = { name: 'mailer', follows: 'topic events', state: 'running', position: 8 } as const;
    const { nodes, edges } = topologyOf({
      ...parts(),
      sinks: [{ ...sink, ...rest }],
      reactions: [{ ...reaction, behind: 2, handled: 1, setAside: 0, failure: null }],
      replicated: [{ name: 'orders', partitions: 1, lag: 40, lags: [40], problem: null, incomplete: [] }],
      outputs: [{ topic: 'large', state: 'writing', error: null, lag: 5, records: 100 }],
      rates: new Map([
        ['topic orders', 12.5],
        ['output large', 2],
      ]),
    });
    expect(edges).toEqual(
      expect.arrayContaining([
        { from: 'kafka kafka', to: 'topic orders', lag: 40, rate: 12.5 },
        { from: 'topic large', to: 'output large', lag: 5, rate: 2 },
        { from: 'view totals', to: 'sink kept', lag: 6, rate: null },
        { from: 'topic events', to: 'reaction mailer', lag: 2, rate: null },
      ]),
    );
    expect(nodes).toContainEqual({ id: 'sink kept', kind: 'sink', name: 'kept', state: 'retrying' });
  });

  it('knows how many commands wait where several nodes handle them', () => {
    const handler = { name: 'invoice', reads: 'commands', writes: ['events'], position: null };
    const lagOf = (waiting: number | null) =>
      topologyOf({ ...parts(), handlers: [{ ...handler, waiting }] }).edges.find(
        e => e.to === 'handler invoice',
      )?.lag;
    expect([lagOf(7), lagOf(null)]).toEqual([7, null]);
  });

  it('names what is read and is not there', () => {
    const sink = { name: 'kept', view: 'nothing', place: 'file x', state: 'waiting' } as const;
    const rest = {
      position: null,
      behind: null,
      loaded: null,
      changes: 0,
      loads: 0,
      failure: null,
      notice: null,
    };
    const { nodes } = topologyOf({ ...parts(), sinks: [{ ...sink, ...rest }] });
    expect(nodes).toContainEqual({ id: 'view nothing', kind: 'view', name: 'nothing', state: 'missing' });
  });

  it('is drawn as a tree, what has stood there before by its name alone', () => {
    expect(topologyText(topologyOf(parts())).split('\n')).toEqual([
      '                         behind  a second',
      'topic orders',
      '└─ view large                 0    12.5/s',
      '   ├─ topic large             0',
      '   └─ view totals             0       3/s',
      '      ├─ topic totals         0',
      '      └─ view named           3            paused',
      '         └─ topic named       0',
      'topic names',
      '└─ view named (above)         3            paused',
      'topic commands',
      '└─ handler invoice            1',
      '   └─ topic events            0',
    ]);
  });

  it('is drawn when it goes in a circle', () => {
    const node = (name: string) => ({ id: `topic ${name}`, kind: 'topic', name, state: null }) as const;
    const edge = (from: string, to: string) => ({
      from: `topic ${from}`,
      to: `topic ${to}`,
      lag: 0,
      rate: null,
    });
    const text = topologyText({ nodes: [node('a'), node('b')], edges: [edge('a', 'b'), edge('b', 'a')] });
    expect(text.split('\n').map(l => l.trimEnd().replace(/ +0$/, ''))).toEqual([
      expect.stringContaining('behind'),
      'topic a',
      '└─ topic b',
      '   └─ topic a (above)',
    ]);
  });
});

describe('rates', () => {
  it('are those of the last minute, by the second', () => {
    let count = 0;
    let now = 0;
    const throughput = new Throughput(
      () => [['topic a', count]],
      () => now,
    );
    throughput.sample();
    expect(throughput.rates()).toEqual(new Map());
    for (let i = 1; i <= 30; i++) {
      now += 5_000;
      count += i <= 15 ? 5_000 : 50;
      throughput.sample();
    }
    expect(throughput.rates()).toEqual(new Map([['topic a', 10]]));
  });

  it('count from zero when a counter begins anew, as with another version of a view', () => {
    let count = 1_000;
    let now = 0;
    const throughput = new Throughput(
      () => [['view a', count]],
      () => now,
    );
    throughput.sample();
    now = 10_000;
    count = 20;
    expect(throughput.rates().get('view a')).toBe(2);
  });
});
