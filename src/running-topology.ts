import type { ReactionStatus } from './commands/reaction-runner.ts';
import type { Clock } from './core/clock.ts';
import type { ViewManager } from './deploy/view-manager.ts';
import { INVOICE_TOPICS } from './invoice/invoice-entity.ts';
import type { OutputStatus } from './kafka/output-topic.ts';
import type { ReplicatedTopic } from './kafka/replication-status.ts';
import { RESULTS_TOPIC } from './kept-topics.ts';
import type { EventLog } from './log/event-log.ts';
import type { SinkStatus } from './sinks/sink-runner.ts';
import { Throughput } from './throughput.ts';
import { type Topology, topologyOf } from './topology.ts';

export interface RunningParts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly views: ViewManager;
  readonly reactions: () => readonly ReactionStatus[];
  readonly sinks: () => readonly SinkStatus[];
  /** topics that are copied from Kafka */
  readonly replicated: () => readonly ReplicatedTopic[];
  /** topics that are written to Kafka */
  readonly outputs: () => readonly OutputStatus[];
  /** commands are handled by all nodes of a cluster */
  readonly shared: boolean;
  /** commands that wait for these nodes; null: not known */
  readonly waiting: () => number | null;
}

/** The topology of what runs here, with rates from its start on. */
export class RunningTopology {
  readonly #parts: RunningParts;
  readonly #throughput: Throughput;

  constructor(parts: RunningParts) {
    this.#parts = parts;
    this.#throughput = new Throughput(
      () => this.#counters(),
      () => parts.clock.now(),
    );
  }

  start(): void {
    this.#throughput.start();
  }

  stop(): void {
    this.#throughput.stop();
  }

  topology(): Topology {
    const { log, views, reactions, sinks, replicated, outputs, shared, waiting } = this.#parts;
    const { commands, events, snapshots, published } = INVOICE_TOPICS;
    return topologyOf({
      topics: log.topics(),
      plans: views.plans(),
      views: views.list(),
      handlers: [
        {
          name: 'invoice',
          reads: commands,
          writes: [events, snapshots, ...published, RESULTS_TOPIC],
          position: shared ? null : (log.position(`commands/${commands}`) ?? 0),
          waiting: shared ? waiting() : null,
        },
      ],
      reactions: reactions(),
      sinks: sinks(),
      replicated: replicated(),
      outputs: outputs(),
      behind: (topic, position) => recordsBehind(log, topic, position),
      rates: this.#throughput.rates(),
    });
  }

  *#counters(): Generator<readonly [string, number]> {
    const { log, views, reactions, sinks, outputs } = this.#parts;
    for (const { name, records } of log.topics()) yield [`topic ${name}`, records];
    for (const { name } of views.deployment.plans) {
      yield [`view ${name}`, views.deployment.served(name)?.feed.published ?? 0];
    }
    for (const { name, handled } of reactions()) yield [`reaction ${name}`, handled];
    for (const { name, changes } of sinks()) yield [`sink ${name}`, changes];
    for (const { topic, records } of outputs()) yield [`output ${topic}`, records];
  }
}

/** Records of a topic from a position on. */
function recordsBehind(log: EventLog, topic: string, position: number): number {
  const ends = log.topic(topic)?.ends;
  if (ends === undefined || position >= log.end()) return 0;
  const seen = log.offsetsAt(topic, position);
  return ends.reduce((sum, end, p) => sum + Math.max(0, end - (seen[p] ?? 0)), 0);
}
