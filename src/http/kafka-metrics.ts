import { Gauge, type Registry } from 'prom-client';
import type { HttpContext } from './http-context.ts';
import type { KafkaFigures } from './ports.ts';

/** series of one gauge: a scrape must not grow with the partitions of a large cluster */
const MOST_SERIES = 500;

/** Gauges of what is copied from Kafka, handled and written there; none without Kafka. */
export function kafkaMetrics(register: Registry, { ports: { status } }: HttpContext): void {
  const { kafka } = status;
  if (kafka === undefined) return;
  const gauge = <L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    fill: (gauge: Gauge<L>, figures: KafkaFigures) => void,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [register],
      collect() {
        this.reset();
        fill(this as Gauge<L>, kafka());
      },
    });
  };
  gauge('millrace_kafka_up', '1 while the cluster answers', [], (g, { up }) => g.set(Number(up)));
  gauge(
    'millrace_kafka_lag',
    'records of Kafka that the log does not have yet',
    ['topic', 'partition'],
    (g, { topics }) => {
      const each = topics.reduce((sum, t) => sum + t.lags.length, 0) <= MOST_SERIES;
      for (const { topic, lags } of topics.slice(0, MOST_SERIES)) {
        if (!each) {
          g.set({ topic, partition: 'all' }, sumOf(lags));
          continue;
        }
        for (const [p, lag] of lags.entries()) if (lag !== null) g.set({ topic, partition: String(p) }, lag);
      }
    },
  );
  gauge(
    'millrace_kafka_incomplete',
    'stretches of offsets that the log does not have as Kafka had them',
    ['topic'],
    (g, { topics }) => {
      for (const { topic, gaps } of topics.slice(0, MOST_SERIES)) g.set({ topic }, gaps);
    },
  );
  gauge(
    'millrace_kafka_commands_lag',
    'commands that no node has handled yet',
    ['partition'],
    (g, { commands }) => {
      if (commands === null) return;
      if (commands.length > MOST_SERIES) g.set({ partition: 'all' }, sumOf(commands.map(c => c.lag)));
      else for (const { partition, lag } of commands) g.set({ partition: String(partition) }, lag);
    },
  );
  gauge(
    'millrace_kafka_output_lag',
    'records of a topic of a view that Kafka does not have yet',
    ['topic'],
    (g, { outputs }) => {
      for (const { topic, lag } of outputs) if (lag !== null) g.set({ topic }, lag);
    },
  );
  gauge('millrace_kafka_output_up', '1 while the output writes', ['topic'], (g, { outputs }) => {
    for (const { topic, state } of outputs) g.set({ topic }, Number(state === 'writing'));
  });
}

const sumOf = (lags: readonly (number | null)[]): number =>
  lags.reduce<number>((sum, l) => sum + (l ?? 0), 0);
