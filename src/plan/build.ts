import { assert } from '../core/assert.ts';
import type { Column, Schema } from '../core/schema.ts';
import { BIGINT, INT } from '../core/sql-type.ts';
import type { Expr } from '../expr/expr.ts';
import { columnExprs } from '../sql/analyse/derived-relation.ts';
import { mapChildren } from '../sql/analyse/expr-tree.ts';
import { computedFor } from '../sql/analyse/over-rows.ts';
import type {
  DerivedRows,
  ExplodedSide,
  JoinSide,
  OverSide,
  RankedSide,
  ResolvedJoin,
  ResolvedQuery,
  ResolvedSetOperation,
  SetSide,
} from '../sql/analyse/resolved-query.ts';
import { canonicalName, type Relation } from '../sql/catalog.ts';
import type { JoinType, PlanNode, RelationKind, SemiJoinType, SourceSpec } from './plan.ts';
import { kindOf } from './properties.ts';

/** Resolved queries -> plan nodes, without any choice of its own; rewrite rules come after. */
export class PlanBuilder {
  readonly #ids = new Map<string, number>();
  readonly #isView: (canonical: string) => boolean;

  /** `isView`: whether the relation is read from another plan rather than scanned from its topic. */
  constructor(isView: (canonical: string) => boolean) {
    this.#isView = isView;
  }

  /** Ids by meaning: `filter`, the second one `filter.2`. */
  #id(node: string): string {
    const count = (this.#ids.get(node) ?? 0) + 1;
    this.#ids.set(node, count);
    return count === 1 ? node : `${node}.${count}`;
  }

  /** All queries that feed one relation, and the records from outside that join them. */
  relation(queries: readonly ResolvedQuery[], outside: SourceSpec | null): PlanNode {
    const inputs: PlanNode[] = [];
    if (outside) inputs.push(this.#scan(outside, false, true));
    for (const query of queries) inputs.push(this.query(query));
    const [first] = inputs;
    if (first && inputs.length === 1) return first;
    const schema = first?.schema ?? { columns: [], key: [], windowed: false };
    return { node: 'union', id: this.#id('union'), schema, inputs };
  }

  query(query: ResolvedQuery): PlanNode {
    let node = this.#input(query);
    const { where, temporal, rekey, group } = query;
    if (where)
      node = { node: 'filter', id: this.#id('filter'), schema: node.schema, input: node, predicate: where };
    if (temporal) {
      node = {
        node: 'temporalFilter',
        id: this.#id('temporalFilter'),
        schema: node.schema,
        input: node,
        ...temporal,
      };
    }
    if (rekey) {
      node = {
        node: 'rekey',
        id: this.#id('rekey'),
        schema: rekey.schema,
        input: node,
        keys: rekey.keys,
        rest: rekey.rest,
      };
    }
    if (query.explode.length > 0) node = this.#explode(node, query);
    if (group) {
      node = {
        node: 'aggregate',
        id: this.#id('aggregate'),
        schema: group.schema,
        input: this.#retracting(node),
        keys: group.keys,
        aggregates: group.aggregates,
        window: group.window,
        nullKeys: group.nullKeys,
        emptyGroups: group.emptyGroups,
      };
      if (query.final && group.window) {
        node = {
          node: 'emitFinal',
          id: this.#id('emitFinal'),
          schema: node.schema,
          input: node,
          window: group.window,
          closeAfter: query.final.closeAfter,
        };
      }
      if (query.having) {
        node = {
          node: 'filter',
          id: this.#id('filter'),
          schema: node.schema,
          input: node,
          predicate: query.having,
        };
      }
    }
    // the old row is known by the input's key, which the columns of DISTINCT need not show
    if (query.distinct) node = this.#retracting(node);
    if (query.copies) return this.#copies(node, query);
    node = this.#project(node, query.schema, query.columns);
    if (query.keyed) return { node: 'keyed', id: this.#id('keyed'), schema: query.schema, input: node };
    return query.distinct ? this.#distinct(node, query.schema) : node;
  }

  #input(query: ResolvedQuery): PlanNode {
    return query.side ? this.#joinSide(query.side) : this.#relation(query.input, query.pseudo);
  }

  #relation(relation: Relation, pseudo: boolean): PlanNode {
    if (relation.derived) return this.#derived(relation.derived);
    if (relation.source && !this.#isView(canonicalName(relation.name, relation.quoted))) {
      return this.#scan(relation.source, pseudo, false);
    }
    return readNode(this.#id('read'), relation);
  }

  #derived(rows: DerivedRows): PlanNode {
    return rows.kind === 'query' ? this.query(rows.query) : this.#setOperation(rows);
  }

  #setOperation({ op, all, left, right, schema }: ResolvedSetOperation): PlanNode {
    const rows: Schema = { ...schema, key: [] };
    const sides = [this.#setSide(left, rows), this.#setSide(right, rows)] as const;
    if (op === 'union') {
      // a union of unions is one
      const open = sides.flatMap(side => (side.node === 'union' ? side.inputs : [side]));
      const appends = open.every(input => kindOf(input) === 'append');
      const inputs = appends ? open : open.map(input => this.#retracting(input));
      const union: PlanNode = { node: 'union', id: this.#id('union'), schema: rows, inputs };
      return all ? union : this.#distinct(union, schema);
    }
    const [l, r] = sides;
    return { node: 'setOperation', id: this.#id(op), schema, op, all, left: l, right: r };
  }

  /** The old row is known by the key of the side, which the columns need not show. */
  #setSide({ rows, columns }: SetSide, schema: Schema): PlanNode {
    return this.#project(this.#retracting(this.#derived(rows)), schema, columns);
  }

  #join(join: ResolvedJoin): PlanNode {
    const left = this.#joinSide(join.left);
    const right = this.#joinSide(join.right);
    const { node, type, leftKeys, rightKeys, schema } = join;
    const id = this.#id(isSemi(type) ? `${type}Join` : node);
    const base = { id, schema, left, right, leftKeys, rightKeys };
    const { condition } = join;
    if (node === 'semiJoin') {
      assert(isSemi(type), `a ${type} join cannot be a ${node}`);
      const sides = { left: this.#retracting(left), right: this.#retracting(right) };
      return { ...base, ...sides, node, type, condition };
    }
    assert(!isSemi(type), `a ${type} join cannot be a ${node}`);
    switch (node) {
      case 'streamStreamJoin': {
        assert(join.within, 'a join of two streams without WITHIN');
        return { ...base, node, type, ...join.within };
      }
      case 'tableTableJoin':
        return { ...base, node, type };
      case 'streamTableJoin':
      case 'foreignKeyJoin':
        assert(type === 'inner' || type === 'left', `a ${type} join cannot be a ${node}`);
        return node === 'foreignKeyJoin' && join.nullKeys
          ? { ...base, node, type, nullKeys: join.nullKeys }
          : { ...base, node, type };
      case 'equiJoin': {
        const sides = { left: this.#retracting(left), right: this.#retracting(right) };
        return { ...base, ...sides, node, type, condition };
      }
    }
  }

  /** A relation's row with its ROWPARTITION, ROWOFFSET and ROWTIME. */
  #joinSide(side: JoinSide): PlanNode {
    if (side.kind === 'join') return this.#join(side.join);
    if (side.kind === 'filter') {
      const input = this.#joinSide(side.input);
      const { schema, predicate } = side;
      return { node: 'filter', id: this.#id('filter'), schema, input, predicate };
    }
    if (side.kind === 'ranked') return this.#ranked(side);
    if (side.kind === 'over') return this.#over(side);
    if (side.kind === 'exploded') return this.#exploded(side);
    const { relation, schema } = side;
    const input = this.#relation(relation, true);
    const columns = schema.columns.map(({ name, type }, index): Expr => {
      if (index === schema.columns.length - 1) return { node: 'rowtime', type };
      return index < input.schema.columns.length
        ? { node: 'column', type, index, name }
        : { node: 'literal', type, value: null };
    });
    return { node: 'project', id: this.#id('side'), schema, input, columns };
  }

  /** What rows are ordered by stands in columns beside them. */
  #ranked({ input, partition, order, from, to, schema }: RankedSide): PlanNode {
    const below = this.#retracting(this.#joinSide(input));
    const own = below.schema.columns.map(
      ({ name, type }, index): Expr => ({ node: 'column', type, index, name }),
    );
    const columns = [...own, ...partition, ...order.map(o => o.expr)];
    const computed: Schema = { ...schema, columns: schema.columns.slice(0, -1) };
    const first = own.length;
    const second = first + partition.length;
    return {
      node: 'rank',
      id: this.#id('rank'),
      schema,
      input: this.#project(below, computed, columns),
      partition: partition.map((_, i) => first + i),
      order: order.map(({ descending, nullsFirst }, i) => ({ column: second + i, descending, nullsFirst })),
      from,
      to,
      numbered: true,
    };
  }

  /** What window functions read stands in columns beside the rows. */
  #over(side: OverSide): PlanNode {
    const { input, partition, order, functions, schema } = side;
    const below = this.#retracting(this.#joinSide(input));
    const computed = computedFor(side);
    const width = below.schema.columns.length;
    const before: Schema = { ...schema, columns: schema.columns.slice(0, width + computed.length) };
    const first = width + partition.length;
    let at = first + order.length;
    return {
      node: 'over',
      id: this.#id('over'),
      schema,
      input: this.#project(below, before, [...columnExprs(below.schema), ...computed]),
      partition: partition.map((_, i) => width + i),
      order: order.map(({ descending, nullsFirst }, i) => ({ column: first + i, descending, nullsFirst })),
      functions: functions.map(({ fn, args, constants, filter, frame, type }) => ({
        fn,
        args: args.map(() => at++),
        constants,
        filter: filter ? at++ : null,
        frame,
        type,
      })),
    };
  }

  /** The rows of a table function as those of a relation, with its ROWPARTITION, ROWOFFSET and ROWTIME. */
  #exploded({ input, fn, args, type, ordinality, schema }: ExplodedSide): PlanNode {
    const below = this.#retracting(this.#joinSide(input));
    const width = below.schema.columns.length + (ordinality ? 2 : 1);
    const plain: PlanNode = {
      node: 'explode',
      id: this.#id('explode'),
      schema: { columns: schema.columns.slice(0, width), key: [], windowed: false },
      input: below,
      functions: [{ fn, args, type }],
    };
    const made = ordinality ? { ...plain, ordinality: true as const } : plain;
    const columns = schema.columns.map(({ name, type: of }, index): Expr => {
      if (index < width) return { node: 'column', type: of, index, name };
      const last = index === schema.columns.length - 1;
      return last ? { node: 'rowtime', type: of } : { node: 'literal', type: of, value: null };
    });
    return { node: 'project', id: this.#id('side'), schema, input: made, columns };
  }

  #scan(source: SourceSpec, pseudo: boolean, outside: boolean): PlanNode {
    const schema = scanSchema(source, pseudo);
    const base = { node: 'scan', id: this.#id('scan'), schema, source } as const;
    const columns = pseudo ? (['ROWPARTITION', 'ROWOFFSET'] as const) : [];
    return outside ? { ...base, pseudo: columns, outside: true } : { ...base, pseudo: columns };
  }

  /** Of rows that change the old one is taken away with all that was made of it. */
  #explode(rows: PlanNode, query: ResolvedQuery): PlanNode {
    const input = this.#retracting(rows);
    const columns: Column[] = [
      ...input.schema.columns,
      ...query.explode.map((call, i) => ({ name: `${call.fn}_${i}`, type: call.type })),
    ];
    return {
      node: 'explode',
      id: this.#id('explode'),
      schema: { ...input.schema, columns, key: kindOf(input) === 'append' ? input.schema.key : [] },
      input,
      functions: query.explode,
    };
  }

  /** A projection that changes nothing is left out; one that only names the results of a group names them there. */
  #project(input: PlanNode, schema: Schema, columns: readonly Expr[]): PlanNode {
    const sameColumns =
      columns.length === input.schema.columns.length &&
      columns.every((c, i) => c.node === 'column' && c.index === i) &&
      schema.key.length === input.schema.key.length &&
      schema.key.every((k, i) => k === input.schema.key[i]);
    if (sameColumns) {
      if (schema.columns.every((c, i) => c.name === input.schema.columns[i]?.name)) return input;
      const renamed = withNames(input, schema);
      if (renamed) return renamed;
    }
    return { node: 'project', id: this.#id('project'), schema, input, columns };
  }

  #copies(input: PlanNode, { schema, columns }: ResolvedQuery): PlanNode {
    const rows: Schema = { columns: schema.columns.slice(0, -1), key: [], windowed: false };
    return { node: 'copies', id: this.#id('copies'), schema, input: this.#project(input, rows, columns) };
  }

  /** Rows whose old value the consumer must know. */
  #retracting(input: PlanNode): PlanNode {
    if (kindOf(input) !== 'upsert') return input;
    return { node: 'normalize', id: this.#id('normalize'), schema: input.schema, input };
  }

  /** `input`: append or retract. */
  #distinct(input: PlanNode, schema: Schema): PlanNode {
    return {
      node: 'aggregate',
      id: this.#id('distinct'),
      schema: { columns: schema.columns, key: schema.columns.map((_, i) => i), windowed: false },
      input,
      keys: schema.columns.map((c, index) => ({ node: 'column', type: c.type, index, name: c.name })),
      aggregates: [],
      window: null,
      nullKeys: 'group',
      emptyGroups: 'delete',
    };
  }
}

function isSemi(type: JoinType | SemiJoinType): type is SemiJoinType {
  return type === 'semi' || type === 'anti' || type === 'mark';
}

/** A group and what stands on it with other column names; null where names belong to someone else. */
function withNames(node: PlanNode, schema: Schema): PlanNode | null {
  switch (node.node) {
    case 'aggregate':
      return { ...node, schema };
    case 'filter': {
      const input = withNames(node.input, schema);
      return input && { ...node, schema, input, predicate: named(node.predicate, schema) };
    }
    case 'emitFinal': {
      const input = withNames(node.input, schema);
      return input && { ...node, schema, input };
    }
    default:
      return null;
  }
}

function named(expr: Expr, schema: Schema): Expr {
  if (expr.node === 'column') return { ...expr, name: schema.columns[expr.index]?.name ?? expr.name };
  return mapChildren(expr, part => named(part, schema));
}

function readNode(id: string, relation: Relation): PlanNode {
  const kind: RelationKind = relation.changes;
  return { node: 'read', id, schema: relation.schema, view: relation.name, kind };
}

/** All declared columns, the window's, and the pseudo columns. */
function scanSchema(source: SourceSpec, pseudo: boolean): Schema {
  const columns: Column[] = source.columns.map(c => ({ name: c.name, type: c.type }));
  const key = source.columns.flatMap((c, i) => (c.from === 'key' ? [i] : []));
  if (source.window) {
    key.push(columns.length, columns.length + 1);
    columns.push({ name: 'WINDOWSTART', type: BIGINT }, { name: 'WINDOWEND', type: BIGINT });
  }
  if (pseudo) columns.push({ name: 'ROWPARTITION', type: INT }, { name: 'ROWOFFSET', type: BIGINT });
  return { columns, key, windowed: source.window !== null };
}
