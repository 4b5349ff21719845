import { assert } from '../core/assert.ts';
import { type ErrorPlace, MillraceError } from '../core/errors.ts';
import type { FunctionRegistry } from '../expr/registry.ts';
import { listText } from '../sql/analyse/problems.ts';
import { relationsRead } from '../sql/analyse/resolved-query.ts';
import { canonicalName, type Relation } from '../sql/catalog.ts';
import { PlanBuilder } from './build.ts';
import type { Definition } from './definitions.ts';
import { fingerprint } from './fingerprint.ts';
import { deepFreeze } from './freeze.ts';
import type { DeploymentPlan, PlanNode, SourceSpec, ViewPlan } from './plan.ts';
import { inputsOf, kindOf } from './properties.ts';
import { type RewriteRule, rewrite } from './rewrite.ts';
import { topicFaults } from './topic-circles.ts';

export interface AssembleOptions {
  readonly definitions: readonly Definition[];
  readonly sources: readonly SourceSpec[];
  readonly functions: FunctionRegistry;
  readonly zone: string;
  /** all unless given */
  readonly rules?: readonly RewriteRule[] | undefined;
}

export interface Assembled {
  readonly plan: DeploymentPlan;
  /** circles of views and topics; the views on them and their readers are not in the plan */
  readonly errors: readonly MillraceError[];
}

function nameOf(relation: Relation): string {
  return canonicalName(relation.name, relation.quoted);
}

/** Definitions -> plans, each view behind what it reads. */
export function assemble(options: AssembleOptions): Assembled {
  const byName = new Map(options.definitions.map(d => [nameOf(d.relation), d]));
  const { order, errors } = sort(byName);
  const views = new Map<string, ViewPlan>();
  for (const name of order) {
    const definition = byName.get(name);
    if (definition) views.set(name, buildView(definition, byName, views, options));
  }
  const faults = topicFaults([...views.values()], view => placeOf(view, options.definitions));
  const plan = deepFreeze({ sources: [...options.sources], views: without([...views.values()], faults) });
  return { plan, errors: [...errors, ...faults.values()] };
}

function placeOf(view: ViewPlan, definitions: readonly Definition[]): ErrorPlace | undefined {
  return definitions.find(d => d.relation.name === view.name)?.relation.place;
}

/** The views that neither are at fault nor read one that is. */
function without(views: readonly ViewPlan[], faults: ReadonlyMap<string, MillraceError>): ViewPlan[] {
  const gone = new Set(faults.keys());
  return views.filter(view => {
    if (view.reads.some(name => name !== view.name && gone.has(name))) gone.add(view.name);
    return !gone.has(view.name);
  });
}

/** Depth first in the order of definition, so that the order changes no more than it must. */
function sort(definitions: ReadonlyMap<string, Definition>): {
  order: readonly string[];
  errors: readonly MillraceError[];
} {
  const order: string[] = [];
  const errors: MillraceError[] = [];
  const state = new Map<string, 'open' | 'done' | 'broken'>();
  const visit = (name: string, path: readonly string[]): boolean => {
    const definition = definitions.get(name);
    if (!definition) return true;
    const known = state.get(name);
    if (known === 'done') return true;
    if (known === 'broken') return false;
    if (known === 'open') {
      errors.push(cycle(path.slice(path.indexOf(name)), definitions));
      return false;
    }
    state.set(name, 'open');
    let fine = true;
    for (const query of definition.queries) {
      for (const read of relationsRead(query)) if (!visit(nameOf(read), [...path, name])) fine = false;
    }
    state.set(name, fine ? 'done' : 'broken');
    if (fine) order.push(name);
    return fine;
  };
  for (const name of definitions.keys()) visit(name, []);
  return { order, errors };
}

export function cycle(names: readonly string[], definitions: ReadonlyMap<string, Definition>): MillraceError {
  const shown = names.map(n => definitions.get(n)?.relation.name ?? n);
  const first = definitions.get(names[0] ?? '');
  assert(first, 'a cycle without views');
  return new MillraceError(
    'cyclic_views',
    `views read each other in a circle: ${[...shown, shown[0]].join(' -> ')}`,
    {
      place: first.relation.place,
      hint: `one of ${listText(shown)} must read something else`,
    },
  );
}

function buildView(
  definition: Definition,
  definitions: ReadonlyMap<string, Definition>,
  done: ReadonlyMap<string, ViewPlan>,
  options: AssembleOptions,
): ViewPlan {
  const { relation } = definition;
  const isView = (name: string) => name !== nameOf(relation) && definitions.has(name);
  const built = new PlanBuilder(isView).relation(definition.queries, definition.outside);
  const root = rewrite(built, options.rules);
  const reads: string[] = [];
  const topics: string[] = [];
  const note = (list: string[], name: string) => {
    if (!list.includes(name)) list.push(name);
  };
  const upstream = new Map<string, string>();
  const walk = (node: PlanNode): void => {
    for (const input of inputsOf(node)) walk(input);
    if (node.node === 'scan') {
      note(topics, node.source.topic);
      // records from outside enter by the view's own topic
      if (!node.outside) note(reads, node.source.name);
    } else if (node.node === 'read') {
      note(reads, node.view);
      const below = [...done.values()].find(v => v.name === node.view);
      for (const topic of below?.topics ?? []) note(topics, topic);
      if (below) upstream.set(node.view, below.fingerprint);
    }
  };
  walk(root);
  const { sink } = definition;
  return {
    name: relation.name,
    statement: relation.statement === 'source' ? 'stream' : relation.statement,
    root,
    kind: kindOf(root),
    sink,
    hidden: relation.hidden,
    reads,
    topics,
    description: definition.description,
    fingerprint: fingerprint({
      root,
      hidden: relation.hidden,
      sink,
      functions: options.functions,
      zone: options.zone,
      upstream,
    }),
    sql: definition.sql,
  };
}
