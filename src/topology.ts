import type { ReactionStatus } from './commands/reaction-runner.ts';
import type { ViewStatus } from './deploy/view-access.ts';
import type { OutputStatus } from './kafka/output-topic.ts';
import type { ReplicatedTopic } from './kafka/replication-status.ts';
import type { TopicInfo } from './log/event-log.ts';
import type { PlanNode, ViewPlan } from './plan/plan.ts';
import { inputsOf } from './plan/properties.ts';
import type { SinkStatus } from './sinks/sink-runner.ts';

export interface TopologyNode {
  /** `view totals` */
  readonly id: string;
  readonly kind: 'kafka' | 'topic' | 'handler' | 'view' | 'reaction' | 'sink' | 'output';
  readonly name: string;
  /** null: it has none, it is there */
  readonly state: string | null;
}

export interface TopologyEdge {
  readonly from: string;
  readonly to: string;
  /** records of `from` that `to` has not seen yet; null: not known */
  readonly lag: number | null;
  /** records or changes of rows in a second, over the last minute; null: not known yet */
  readonly rate: number | null;
}

export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
}

/** A command handler and what it writes. */
export interface HandlerPart {
  readonly name: string;
  readonly reads: string;
  readonly writes: readonly string[];
  /** null: all nodes of a cluster share the work */
  readonly position: number | null;
  /** commands that wait, where nodes share the work; null: not known */
  readonly waiting?: number | null | undefined;
}

export interface TopologyParts {
  readonly topics: readonly TopicInfo[];
  readonly plans: readonly ViewPlan[];
  readonly views: readonly ViewStatus[];
  readonly handlers: readonly HandlerPart[];
  readonly reactions: readonly ReactionStatus[];
  readonly sinks: readonly SinkStatus[];
  /** topics that are copied from Kafka */
  readonly replicated: readonly ReplicatedTopic[];
  /** topics that are written to Kafka */
  readonly outputs: readonly OutputStatus[];
  /** records of a topic that lie at or behind a position */
  readonly behind: (topic: string, position: number) => number;
  /** per second, of `topic x`, `view x`, `reaction x`, `sink x`, `output x` */
  readonly rates: ReadonlyMap<string, number>;
}

/** Who reads and writes what: from Kafka and topics through handlers and views to reactions and sinks. */
export function topologyOf(parts: TopologyParts): Topology {
  const graph = new Graph(parts.rates);
  const topics = new Set(parts.topics.map(t => t.name));
  const views = new Map(parts.views.map(v => [v.name, v]));
  const lagOf = (topic: string, position: number | null): number | null =>
    position === null || !topics.has(topic) ? null : parts.behind(topic, position);

  if (parts.replicated.length > 0) graph.node('kafka', 'kafka', null);
  for (const { name } of parts.topics) graph.node('topic', name, null);
  for (const { name, lag, problem } of parts.replicated) {
    graph.node('topic', name, problem === null ? null : 'stopped');
    graph.edge('kafka kafka', `topic ${name}`, { lag, rate: `topic ${name}` });
  }
  for (const { name, reads, writes, position, waiting = null } of parts.handlers) {
    graph.node('handler', name, null);
    const lag = position === null ? waiting : lagOf(reads, position);
    graph.edge(`topic ${reads}`, `handler ${name}`, { lag, rate: `topic ${reads}` });
    // what it decides, and that it has, is one transaction
    for (const topic of writes)
      graph.edge(`handler ${name}`, `topic ${topic}`, { lag: 0, rate: `topic ${topic}` });
  }
  for (const plan of parts.plans) {
    const status = views.get(plan.name);
    const position = status?.position ?? null;
    graph.node('view', plan.name, status?.state ?? null);
    for (const topic of topicsOf(plan)) {
      graph.edge(`topic ${topic}`, `view ${plan.name}`, {
        lag: lagOf(topic, position),
        rate: `topic ${topic}`,
      });
    }
    for (const read of viewsOf(plan)) {
      const above = views.get(read)?.position ?? null;
      const lag = above === null || position === null ? null : Math.max(0, above - position);
      graph.edge(`view ${read}`, `view ${plan.name}`, { lag, rate: `view ${read}` });
    }
    if (plan.sink !== null) {
      const { topic } = plan.sink;
      // what a record makes of the topic is handed to the log before the view is shown behind that record
      const lag = position === null ? null : 0;
      graph.edge(`view ${plan.name}`, `topic ${topic}`, { lag, rate: `topic ${topic}` });
    }
  }
  for (const { name, follows, state, position, behind } of parts.reactions) {
    graph.node('reaction', name, state);
    const lag = follows.startsWith('topic ') ? lagOf(follows.slice(6), position) : behind;
    graph.edge(follows, `reaction ${name}`, { lag, rate: `reaction ${name}` });
  }
  for (const { name, view, state, behind } of parts.sinks) {
    graph.node('sink', name, state);
    const known = parts.views.find(v => v.name.toLowerCase() === view.toLowerCase())?.name ?? view;
    graph.edge(`view ${known}`, `sink ${name}`, { lag: behind, rate: `sink ${name}` });
  }
  for (const { topic, state, lag } of parts.outputs) {
    graph.node('output', topic, state);
    graph.edge(`topic ${topic}`, `output ${topic}`, { lag, rate: `output ${topic}` });
  }
  return graph.topology();
}

class Graph {
  readonly #rates: ReadonlyMap<string, number>;
  readonly #nodes = new Map<string, TopologyNode>();
  readonly #edges = new Map<string, TopologyEdge>();

  constructor(rates: ReadonlyMap<string, number>) {
    this.#rates = rates;
  }

  node(kind: TopologyNode['kind'], name: string, state: string | null): void {
    this.#nodes.set(`${kind} ${name}`, { id: `${kind} ${name}`, kind, name, state });
  }

  /** `rate`: the counter of what comes by */
  edge(
    from: string,
    to: string,
    { lag, rate }: { readonly lag: number | null; readonly rate: string },
  ): void {
    this.#edges.set(`${from}\n${to}`, { from, to, lag, rate: this.#rates.get(rate) ?? null });
  }

  topology(): Topology {
    const edges = [...this.#edges.values()];
    // what is read and not there: a topic that nobody has made yet, a view that is broken
    for (const id of edges.flatMap(e => [e.from, e.to])) {
      const [kind = '', ...name] = id.split(' ');
      if (!this.#nodes.has(id)) this.node(kind as TopologyNode['kind'], name.join(' '), 'missing');
    }
    return { nodes: [...this.#nodes.values()], edges };
  }
}

function topicsOf(plan: ViewPlan): Set<string> {
  // a view that takes outside records of its own topic does not read itself
  return new Set(
    [...nodesOf(plan.root)].flatMap(n => (n.node === 'scan' && n.outside !== true ? [n.source.topic] : [])),
  );
}

function viewsOf(plan: ViewPlan): Set<string> {
  return new Set([...nodesOf(plan.root)].flatMap(n => (n.node === 'read' ? [n.view] : [])));
}

function* nodesOf(node: PlanNode): Generator<PlanNode> {
  yield node;
  for (const input of inputsOf(node)) yield* nodesOf(input);
}
