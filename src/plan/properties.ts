import { unreachable } from '../core/assert.ts';
import type { PlanNode, RelationKind, ViewPlan, WindowSpec } from './plan.ts';

/**
 * The four derived properties of design §7: kind of the changes, key of the rows, demand of the consumers, and how much
 * state the node keeps.
 */
export interface NodeProperties {
  readonly kind: RelationKind;
  /** names of the key's columns */
  readonly key: readonly string[];
  /** `each`: every change counts. `final`: the last state per key within a batch is enough */
  readonly demand: Demand;
  readonly state: StateVerdict;
}

export type Demand = 'each' | 'final';

export type StateVerdict =
  | { readonly verdict: 'none' }
  /** ms of event time that rows stay */
  | { readonly verdict: 'bounded'; readonly ms: number }
  /** rows stay until the clock passes their bounds */
  | { readonly verdict: 'by the clock' }
  | { readonly verdict: 'by key count' }
  | { readonly verdict: 'unbounded' };

export function inputsOf(node: PlanNode): readonly PlanNode[] {
  switch (node.node) {
    case 'scan':
    case 'read':
      return [];
    case 'union':
      return node.inputs;
    case 'streamStreamJoin':
    case 'streamTableJoin':
    case 'tableTableJoin':
    case 'foreignKeyJoin':
    case 'equiJoin':
    case 'semiJoin':
    case 'setOperation':
      return [node.left, node.right];
    case 'filter':
    case 'project':
    case 'explode':
    case 'rekey':
    case 'normalize':
    case 'temporalFilter':
    case 'aggregate':
    case 'emitFinal':
    case 'copies':
    case 'keyed':
    case 'rank':
    case 'over':
      return [node.input];
    default:
      return unreachable(node);
  }
}

/** The same node over other inputs (as many as it has). */
/** The topic of a view by which records from outside enter it, or null. */
export function topicEntered(view: ViewPlan): string | null {
  const find = (node: PlanNode): string | null => {
    if (node.node === 'scan') return node.outside ? node.source.topic : null;
    return inputsOf(node).reduce<string | null>((found, input) => found ?? find(input), null);
  };
  return find(view.root);
}

export function withInputs(node: PlanNode, inputs: readonly PlanNode[]): PlanNode {
  switch (node.node) {
    case 'scan':
    case 'read':
      return node;
    case 'union':
      return { ...node, inputs };
    case 'streamStreamJoin':
    case 'streamTableJoin':
    case 'tableTableJoin':
    case 'foreignKeyJoin':
    case 'equiJoin':
    case 'semiJoin':
    case 'setOperation':
      return { ...node, left: inputs[0] ?? node.left, right: inputs[1] ?? node.right };
    default:
      return { ...node, input: inputs[0] ?? node.input };
  }
}

export function kindOf(node: PlanNode): RelationKind {
  switch (node.node) {
    case 'scan':
      return node.source.kind === 'stream' ? 'append' : 'upsert';
    case 'read':
      return node.kind;
    case 'filter':
    case 'project':
    case 'explode':
    case 'rekey':
      return kindOf(node.input);
    case 'normalize':
    case 'rank':
    case 'over':
      return 'retract';
    case 'temporalFilter': {
      const input = kindOf(node.input);
      // rows of a stream that only ever enter are still only additions
      return input === 'append' && node.until !== null ? 'retract' : input;
    }
    case 'aggregate':
    case 'emitFinal':
    case 'copies':
    case 'keyed':
    case 'tableTableJoin':
    case 'foreignKeyJoin':
      return 'upsert';
    case 'streamStreamJoin':
    case 'streamTableJoin':
      return 'append';
    case 'equiJoin':
      return node.type === 'inner' && inputsOf(node).every(i => kindOf(i) === 'append')
        ? 'append'
        : 'retract';
    case 'semiJoin':
      return node.type === 'semi' && inputsOf(node).every(i => kindOf(i) === 'append') ? 'append' : 'retract';
    case 'setOperation':
      return node.all ? 'retract' : 'upsert';
    case 'union':
      return node.inputs.every(i => kindOf(i) === 'append') ? 'append' : 'retract';
    default:
      return unreachable(node);
  }
}

/** Unique columns of the rows, by name; append relations have no unique columns. */
export function keyOf(node: PlanNode): readonly string[] {
  return node.schema.key.map(i => node.schema.columns[i]?.name ?? '?');
}

function stateOf(node: PlanNode): StateVerdict {
  switch (node.node) {
    case 'normalize':
    case 'copies':
      return { verdict: 'by key count' };
    case 'temporalFilter':
      // of a table one row per key; of a stream the rows whose time to come or to go has not been reached
      return { verdict: kindOf(node.input) === 'append' ? 'by the clock' : 'by key count' };
    case 'aggregate':
      if (node.window) return boundedBy(node.window);
      return node.keys.length === 0 && node.aggregates.every(a => !a.distinct)
        ? { verdict: 'bounded', ms: 0 }
        : { verdict: 'by key count' };
    case 'emitFinal':
      return boundedBy(node.window);
    case 'streamStreamJoin':
      return { verdict: 'bounded', ms: node.before + node.after + node.grace };
    case 'streamTableJoin':
    case 'tableTableJoin':
    case 'foreignKeyJoin':
      return { verdict: 'by key count' };
    case 'semiJoin': {
      // without a condition right rows are counted by key
      const kept = node.condition === null ? [node.left] : [node.left, node.right];
      return { verdict: kept.some(i => kindOf(i) === 'append') ? 'unbounded' : 'by key count' };
    }
    case 'rank': {
      // of rows that never go only those are kept that are seen
      const appends = kindOf(node.input) === 'append';
      if (appends && node.to === null) return { verdict: 'unbounded' };
      return appends && node.partition.length === 0
        ? { verdict: 'bounded', ms: 0 }
        : { verdict: 'by key count' };
    }
    case 'over':
      // a row that comes late changes those around it: none can be let go of
      return { verdict: kindOf(node.input) === 'append' ? 'unbounded' : 'by key count' };
    case 'setOperation':
      // equal rows are counted
      return { verdict: 'by key count' };
    case 'equiJoin':
      // rows of a stream never go
      return { verdict: inputsOf(node).some(i => kindOf(i) === 'append') ? 'unbounded' : 'by key count' };
    default:
      return { verdict: 'none' };
  }
}

/** With RETENTION what is kept of a window stays until its rows are deleted. */
function boundedBy({ size, grace, retention }: WindowSpec): StateVerdict {
  return { verdict: 'bounded', ms: size + Math.max(grace, retention ?? 0) };
}

const RANK = { none: 0, bounded: 1, 'by the clock': 2, 'by key count': 3, unbounded: 4 } as const;

/** The verdict of the whole view: its heaviest node's. */
export function viewState(root: PlanNode): StateVerdict {
  let worst = stateOf(root);
  for (const input of inputsOf(root)) {
    const below = viewState(input);
    if (RANK[below.verdict] > RANK[worst.verdict]) worst = below;
    else if (below.verdict === 'bounded' && worst.verdict === 'bounded' && below.ms > worst.ms) worst = below;
  }
  return worst;
}

/**
 * Demand flows down from what reads the root. Only filters and projections of keyed rows let `final` through: every other
 * node needs each change (an aggregate, because ROWTIME of a group is the latest of all its rows).
 */
export function demandBelow(node: PlanNode, demand: Demand): Demand {
  return node.node === 'filter' || node.node === 'project' ? demand : 'each';
}

/**
 * What is asked of a view's root: every change when it feeds a topic, a stream or a reader that needs each; else the last
 * state per key, since its rows are read by key at positions between batches.
 */
export function rootDemand(view: ViewPlan, views: readonly ViewPlan[] = []): Demand {
  if (view.sink !== null || kindOf(view.root) !== 'upsert') return 'each';
  const readers = views.filter(v => v !== view && v.reads.includes(view.name));
  return readers.every(reader => demandOn(view.name, reader.root, rootDemand(reader, views)) === 'final')
    ? 'final'
    : 'each';
}

/** The demand that a plan puts on a view that it reads. */
function demandOn(name: string, node: PlanNode, demand: Demand): Demand {
  if (node.node === 'read') return node.view === name ? demand : 'final';
  const below = demandBelow(node, demand);
  return inputsOf(node).every(input => demandOn(name, input, below) === 'final') ? 'final' : 'each';
}

export function propertiesOf(node: PlanNode, demand: Demand): NodeProperties {
  return { kind: kindOf(node), key: keyOf(node), demand, state: stateOf(node) };
}
