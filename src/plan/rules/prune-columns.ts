import { unreachable } from '../../core/assert.ts';
import type { Schema } from '../../core/schema.ts';
import type { Expr } from '../../expr/expr.ts';
import { columnsOf, renumber } from '../../sql/analyse/expr-tree.ts';
import type {
  JoinNode,
  OverNode,
  PlanNode,
  ProjectNode,
  PseudoColumn,
  ScanNode,
  SemiJoinNode,
} from '../plan.ts';

/**
 * Scans decode only what the plan reads. Columns that nothing above a node needs are left out from the scan upwards; keys
 * stay, and the declared order stays. A value that nothing reads is not decoded, so it makes no record undecodable. Columns of another view are not touched: its plan is its own.
 */
export function pruneColumns(root: PlanNode): PlanNode {
  return prune(root, new Set(root.schema.columns.keys())).node;
}

interface Pruned {
  readonly node: PlanNode;
  /** new position of each old column; -1: gone */
  readonly position: readonly number[];
}

function same(node: PlanNode): Pruned {
  return { node, position: node.schema.columns.map((_, i) => i) };
}

function prune(node: PlanNode, needed: ReadonlySet<number>): Pruned {
  switch (node.node) {
    case 'scan':
      return pruneScan(node, needed);
    case 'read':
      return same(node);
    case 'filter': {
      const below = prune(node.input, withKey(node.schema, columnsOf(node.predicate, new Set(needed))));
      const predicate = moved(node.predicate, below);
      return { ...below, node: { ...node, schema: below.node.schema, input: below.node, predicate } };
    }
    case 'temporalFilter': {
      const wanted = withKey(node.schema, needed);
      if (node.from) columnsOf(node.from, wanted);
      if (node.until) columnsOf(node.until, wanted);
      const below = prune(node.input, wanted);
      const from = node.from && moved(node.from, below);
      const until = node.until && moved(node.until, below);
      return { ...below, node: { ...node, schema: below.node.schema, input: below.node, from, until } };
    }
    case 'normalize': {
      const below = prune(node.input, withKey(node.schema, needed));
      return { ...below, node: { ...node, schema: below.node.schema, input: below.node } };
    }
    case 'project': {
      const wanted = withKey(node.schema, needed);
      const kept = node.columns.map((_, i) => i).filter(i => wanted.has(i));
      const computed = kept.flatMap(i => node.columns[i] ?? []);
      const below = prune(node.input, withKey(node.input.schema, columnsOfAll(computed)));
      const position = node.columns.map((_, i) => kept.indexOf(i));
      const columns = computed.map(c => moved(c, below));
      const schema: Schema = {
        ...node.schema,
        columns: kept.flatMap(i => node.schema.columns[i] ?? []),
        key: node.schema.key.map(i => position[i] ?? -1),
      };
      return { node: withoutIdentity({ ...node, schema, input: below.node, columns }), position };
    }
    case 'explode': {
      const width = node.input.schema.columns.length;
      const wanted = columnsOfAll(node.functions.flatMap(f => f.args));
      for (const i of needed) if (i < width) wanted.add(i);
      const below = prune(node.input, withKey(node.input.schema, wanted));
      const narrower = below.node.schema.columns.length;
      const position = node.schema.columns.map((_, i) =>
        i < width ? (below.position[i] ?? -1) : narrower + i - width,
      );
      const functions = node.functions.map(f => ({ ...f, args: f.args.map(a => moved(a, below)) }));
      const columns = [...below.node.schema.columns, ...node.schema.columns.slice(width)];
      // rows that were made of one row share its key
      const key = node.schema.key.length > 0 ? below.node.schema.key : [];
      const schema: Schema = { ...below.node.schema, columns, key };
      return { node: { ...node, schema, input: below.node, functions }, position };
    }
    case 'rekey': {
      const wanted = columnsOfAll(node.keys);
      const kept = node.rest.map((_, i) => i).filter(i => needed.has(node.keys.length + i));
      for (const i of kept) wanted.add(node.rest[i] ?? 0);
      const below = prune(node.input, wanted);
      const at = [...node.keys.keys(), ...kept.map(i => node.keys.length + i)];
      const position = node.schema.columns.map((_, i) => at.indexOf(i));
      const schema: Schema = { ...node.schema, columns: at.flatMap(i => node.schema.columns[i] ?? []) };
      const rest = kept.map(i => below.position[node.rest[i] ?? 0] ?? -1);
      const keys = node.keys.map(k => moved(k, below));
      return { node: { ...node, schema, input: below.node, keys, rest }, position };
    }
    case 'aggregate': {
      const wanted = columnsOfAll([
        ...node.keys,
        ...node.aggregates.flatMap(a => (a.filter ? [...a.args, a.filter] : a.args)),
      ]);
      const below = prune(node.input, wanted);
      const keys = node.keys.map(k => moved(k, below));
      const aggregates = node.aggregates.map(a => ({
        ...a,
        args: a.args.map(arg => moved(arg, below)),
        filter: a.filter && moved(a.filter, below),
      }));
      return same({ ...node, input: below.node, keys, aggregates });
    }
    case 'semiJoin':
      return pruneSemiJoin(node, needed);
    case 'keyed': {
      const below = prune(node.input, withKey(node.schema, needed));
      return { ...below, node: { ...node, schema: below.node.schema, input: below.node } };
    }
    case 'rank': {
      const ranked = [...node.partition, ...node.order.map(o => o.column)];
      const width = node.input.schema.columns.length;
      const wanted = new Set([...needed].filter(i => i < width).concat(ranked));
      const below = prune(node.input, withKey(node.input.schema, wanted));
      const at = (i: number) => below.position[i] ?? -1;
      const numbered = node.numbered && needed.has(width);
      const number = numbered ? node.schema.columns.slice(width) : [];
      const columns = [...below.node.schema.columns, ...number];
      const schema: Schema = { ...node.schema, columns, key: node.schema.key.map(at) };
      const partition = node.partition.map(at);
      const order = node.order.map(o => ({ ...o, column: at(o.column) }));
      const last = numbered ? below.node.schema.columns.length : -1;
      const position = node.schema.columns.map((_, i) => (i < width ? at(i) : last));
      return { node: { ...node, schema, input: below.node, partition, order, numbered }, position };
    }
    case 'over':
      return pruneOver(node, needed);
    case 'copies': {
      const all = new Set(node.input.schema.columns.keys());
      return same({ ...node, input: prune(node.input, all).node });
    }
    case 'emitFinal': {
      const all = new Set(node.schema.columns.keys());
      return same({ ...node, input: prune(node.input, all).node });
    }
    case 'union': {
      const all = new Set(node.schema.columns.keys());
      return same({ ...node, inputs: node.inputs.map(i => prune(i, all).node) });
    }
    case 'setOperation': {
      const all = new Set(node.schema.columns.keys());
      return same({ ...node, left: prune(node.left, all).node, right: prune(node.right, all).node });
    }
    case 'streamStreamJoin':
    case 'streamTableJoin':
    case 'tableTableJoin':
    case 'foreignKeyJoin':
    case 'equiJoin':
      return pruneJoin(node, needed);
    default:
      return unreachable(node);
  }
}

/** Functions that nobody asks for are not computed. */
function pruneOver(node: OverNode, needed: ReadonlySet<number>): Pruned {
  const width = node.input.schema.columns.length;
  const kept = node.functions.map((_, i) => i).filter(i => needed.has(width + i));
  const asked = kept.flatMap(i => node.functions[i] ?? []);
  const read = asked.flatMap(f => (f.filter === null ? f.args : [...f.args, f.filter]));
  const ordered = [...node.partition, ...node.order.map(o => o.column)];
  const wanted = new Set([...needed].filter(i => i < width).concat(ordered, read));
  const below = prune(node.input, withKey(node.input.schema, wanted));
  const at = (i: number) => below.position[i] ?? -1;
  const narrower = below.node.schema.columns.length;
  const position = node.schema.columns.map((_, i) =>
    i < width ? at(i) : kept.includes(i - width) ? narrower + kept.indexOf(i - width) : -1,
  );
  const columns = [...below.node.schema.columns, ...kept.flatMap(i => node.schema.columns[width + i] ?? [])];
  return {
    node: {
      ...node,
      schema: { ...node.schema, columns, key: node.schema.key.map(at) },
      input: below.node,
      partition: node.partition.map(at),
      order: node.order.map(o => ({ ...o, column: at(o.column) })),
      functions: asked.map(f => ({
        ...f,
        args: f.args.map(at),
        filter: f.filter === null ? null : at(f.filter),
      })),
    },
    position,
  };
}

/** The columns of the pairs stay; each side keeps what is needed of it and what its keys read. */
function pruneJoin(node: Exclude<JoinNode, SemiJoinNode>, needed: ReadonlySet<number>): Pruned {
  const leftWidth = node.left.schema.columns.length;
  const rightEnd = leftWidth + node.right.schema.columns.length;
  const wanted = withKey(node.schema, needed);
  if (node.node === 'equiJoin' && node.condition) columnsOf(node.condition, wanted);
  const from = (start: number, end: number) => [...wanted].filter(i => i >= start && i < end);
  const side = (input: PlanNode, keys: readonly Expr[], columns: readonly number[]): Pruned =>
    prune(input, withKey(input.schema, new Set([...columnsOfAll(keys), ...columns])));
  const left = side(node.left, node.leftKeys, from(0, leftWidth));
  const right = side(
    node.right,
    node.rightKeys,
    from(leftWidth, rightEnd).map(i => i - leftWidth),
  );
  const newLeft = left.node.schema.columns;
  const newRight = right.node.schema.columns;
  const shifted = (at: number, by: number) => (at < 0 ? -1 : at + by);
  const position = node.schema.columns.map((_, i) => {
    if (i < leftWidth) return left.position[i] ?? -1;
    if (i < rightEnd) return shifted(right.position[i - leftWidth] ?? -1, newLeft.length);
    return newLeft.length + newRight.length + i - rightEnd;
  });
  const schema: Schema = {
    ...node.schema,
    columns: [...newLeft, ...newRight, ...node.schema.columns.slice(rightEnd)],
    key: node.schema.key.map(i => position[i] ?? -1),
  };
  const leftKeys = node.leftKeys.map(key => moved(key, left));
  const rightKeys = node.rightKeys.map(key => moved(key, right));
  const pruned = { schema, left: left.node, right: right.node, leftKeys, rightKeys };
  if (node.node !== 'equiJoin') return { node: { ...node, ...pruned }, position };
  const condition = node.condition && renumber(node.condition, i => position[i] ?? -1);
  return { node: { ...node, ...pruned, condition }, position };
}

/** Of the right side nothing is seen; its keys and what the condition reads is kept. */
function pruneSemiJoin(node: SemiJoinNode, needed: ReadonlySet<number>): Pruned {
  const width = node.left.schema.columns.length;
  const read = node.condition ? columnsOf(node.condition) : new Set<number>();
  const wanted = withKey(node.schema, new Set([...needed, ...read]));
  const left = prune(
    node.left,
    withKey(
      node.left.schema,
      new Set([...columnsOfAll(node.leftKeys), ...[...wanted].filter(i => i < width)]),
    ),
  );
  const right = prune(
    node.right,
    withKey(
      node.right.schema,
      new Set([...columnsOfAll(node.rightKeys), ...[...read].filter(i => i >= width).map(i => i - width)]),
    ),
  );
  const narrower = left.node.schema.columns.length;
  const position = node.schema.columns.map((_, i) => (i < width ? (left.position[i] ?? -1) : narrower));
  const columns = [...left.node.schema.columns, ...node.schema.columns.slice(width)];
  const schema: Schema = { ...node.schema, columns, key: node.schema.key.map(i => position[i] ?? -1) };
  const at = (i: number) =>
    i < width ? (left.position[i] ?? -1) : narrower + (right.position[i - width] ?? -1);
  return {
    node: {
      ...node,
      schema,
      left: left.node,
      right: right.node,
      leftKeys: node.leftKeys.map(key => moved(key, left)),
      rightKeys: node.rightKeys.map(key => moved(key, right)),
      condition: node.condition && renumber(node.condition, at),
    },
    position,
  };
}

/** A projection that changes nothing is gone. */
function withoutIdentity(node: ProjectNode): PlanNode {
  const { schema, input, columns } = node;
  const identity =
    columns.length === input.schema.columns.length &&
    columns.every((c, i) => c.node === 'column' && c.index === i) &&
    schema.columns.every((c, i) => c.name === input.schema.columns[i]?.name) &&
    schema.key.length === input.schema.key.length &&
    schema.key.every((k, i) => k === input.schema.key[i]);
  return identity ? input : node;
}

function withKey(schema: Schema, needed: ReadonlySet<number>): Set<number> {
  return new Set([...needed, ...schema.key]);
}

function columnsOfAll(exprs: readonly Expr[]): Set<number> {
  const wanted = new Set<number>();
  for (const expr of exprs) columnsOf(expr, wanted);
  return wanted;
}

function moved(expr: Expr, below: Pruned): Expr {
  return renumber(expr, i => below.position[i] ?? -1);
}

function pruneScan(node: ScanNode, needed: ReadonlySet<number>): Pruned {
  const { columns, key } = node.schema;
  const kept = columns.map((_, i) => i).filter(i => needed.has(i) || key.includes(i));
  const position = columns.map((_, i) => kept.indexOf(i));
  const firstPseudo = columns.length - node.pseudo.length;
  const pseudo: readonly PseudoColumn[] = node.pseudo.filter((_, i) => position[firstPseudo + i] !== -1);
  const schema: Schema = {
    ...node.schema,
    columns: kept.flatMap(i => columns[i] ?? []),
    key: key.map(i => position[i] ?? -1),
  };
  return { node: { ...node, schema, pseudo }, position };
}
