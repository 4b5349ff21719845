import { expect } from 'vitest';
import type { Schema } from '../../src/core/schema.ts';
import { type SqlType, sameType, typeText } from '../../src/core/sql-type.ts';
import { childrenOf } from '../../src/expr/children.ts';
import { arithmeticType, canCast, comparable } from '../../src/expr/coercion.ts';
import type { Expr } from '../../src/expr/expr.ts';
import { exprText } from '../../src/expr/show.ts';
import type { DeploymentPlan, PlanNode } from '../../src/plan/plan.ts';
import { inputsOf, kindOf } from '../../src/plan/properties.ts';

/** What everything that runs a plan relies on, checked on every node and expression. */
export function checkPlan(plan: DeploymentPlan): void {
  const views = new Map(plan.views.map(v => [v.name, v]));
  const done = new Set<string>();
  for (const view of plan.views) {
    const ids = new Set<string>();
    checkNode(view.root, ids, name => {
      // what is read stands before the reader
      expect(done.has(name), `${view.name} reads ${name}`).toBe(true);
      return views.get(name)?.root.schema;
    });
    expect(view.kind).toBe(kindOf(view.root));
    for (const i of view.hidden ?? []) expect(view.root.schema.key).toContain(i);
    done.add(view.name);
  }
}

type SchemaOf = (view: string) => Schema | undefined;

function checkNode(node: PlanNode, ids: Set<string>, schemaOf: SchemaOf): void {
  expect(ids.has(node.id), `id ${node.id} twice`).toBe(false);
  ids.add(node.id);
  for (const input of inputsOf(node)) checkNode(input, ids, schemaOf);
  checkSchema(node.schema);
  switch (node.node) {
    case 'scan':
      checkScan(node);
      return;
    case 'read':
      expect(node.schema).toEqual(schemaOf(node.view));
      return;
    case 'filter':
      sameSchema(node.schema, node.input.schema);
      checkTyped(node.predicate, node.input.schema, { kind: 'BOOLEAN' });
      return;
    case 'project':
      expect(node.columns.length).toBe(node.schema.columns.length);
      for (const [i, c] of node.columns.entries()) {
        checkTyped(c, node.input.schema, node.schema.columns[i]?.type);
      }
      checkProjectedKey(node);
      return;
    case 'explode': {
      const width = node.input.schema.columns.length;
      sameTypes({ ...node.schema, columns: node.schema.columns.slice(0, width) }, node.input.schema);
      // rows that are made of one row that changes share its key: it tells them apart no more
      const { key } = node.input.schema;
      expect(kindOf(node)).not.toBe('upsert');
      expect([[], ...(kindOf(node) === 'append' ? [key] : [])]).toContainEqual(node.schema.key);
      node.functions.forEach((f, i) => {
        for (const arg of f.args) checkExpr(arg, node.input.schema);
        expect(node.schema.columns[width + i]?.type).toEqual(f.type);
      });
      return;
    }
    case 'over': {
      const { columns } = node.input.schema;
      expect(kindOf(node.input)).not.toBe('upsert');
      expect(node.schema.columns.slice(0, columns.length)).toEqual(columns);
      expect(node.schema.columns.slice(columns.length).map(c => c.type)).toEqual(
        node.functions.map(f => f.type),
      );
      const filters = node.functions.flatMap(f => (f.filter === null ? [] : [f.filter]));
      for (const i of filters) expect(columns[i]?.type.kind).toBe('BOOLEAN');
      const read = [
        ...node.partition,
        ...node.order.map(o => o.column),
        ...node.functions.flatMap(f => f.args),
      ];
      for (const i of read) expect(columns[i], 'a column that is not there').toBeDefined();
      return;
    }
    case 'rekey': {
      for (const [i, key] of node.keys.entries()) {
        checkTyped(key, node.input.schema, node.schema.columns[i]?.type);
      }
      const rest = node.schema.columns.slice(node.keys.length);
      expect(rest).toEqual(node.rest.map(i => node.input.schema.columns[i]));
      expect(node.schema.key).toEqual(node.keys.map((_, i) => i));
      return;
    }
    case 'normalize':
      expect(kindOf(node.input)).toBe('upsert');
      sameSchema(node.schema, node.input.schema);
      return;
    case 'temporalFilter':
      sameSchema(node.schema, node.input.schema);
      for (const bound of [node.from, node.until]) {
        if (bound) checkTyped(bound, node.input.schema, { kind: 'TIMESTAMP' });
      }
      return;
    case 'aggregate': {
      expect(kindOf(node.input)).not.toBe('upsert');
      const types = [
        ...node.keys.map(k => k.type),
        ...(node.window ? [{ kind: 'BIGINT' } as const, { kind: 'BIGINT' } as const] : []),
        ...node.aggregates.map(a => a.type),
      ];
      expect(node.schema.columns.map(c => c.type)).toEqual(types);
      expect(node.schema.key).toEqual(types.slice(0, types.length - node.aggregates.length).map((_, i) => i));
      expect(node.schema.windowed).toBe(node.window !== null);
      for (const key of node.keys) checkExpr(key, node.input.schema);
      for (const call of node.aggregates) {
        for (const arg of call.args) checkExpr(arg, node.input.schema);
        if (call.filter) checkTyped(call.filter, node.input.schema, { kind: 'BOOLEAN' });
      }
      return;
    }
    case 'emitFinal':
      expect(node.input.node).toBe('aggregate');
      sameSchema(node.schema, node.input.schema);
      return;
    case 'union':
      for (const input of node.inputs) sameTypes(node.schema, input.schema);
      return;
  }
}

function checkSchema(schema: Schema): void {
  for (const i of schema.key) expect(schema.columns[i], 'a key column that is not there').toBeDefined();
  expect(new Set(schema.key).size).toBe(schema.key.length);
  if (!schema.windowed) return;
  const bounds = schema.key.slice(-2).map(i => schema.columns[i]);
  expect(bounds.map(c => c?.name.toUpperCase())).toEqual(['WINDOWSTART', 'WINDOWEND']);
}

function checkScan(node: Extract<PlanNode, { node: 'scan' }>): void {
  const names = node.schema.columns.map(c => c.name);
  const declared = node.source.columns.map(c => c.name).filter(n => names.includes(n));
  const windows = node.source.window ? ['WINDOWSTART', 'WINDOWEND'] : [];
  expect(names).toEqual([...declared, ...windows, ...node.pseudo]);
  for (const column of node.source.columns) {
    if (column.from === 'key') expect(names).toContain(column.name);
  }
}

/** The key of changing rows is computed from the input's key alone. */
function checkProjectedKey(node: Extract<PlanNode, { node: 'project' }>): void {
  if (kindOf(node) !== 'upsert') return;
  for (const i of node.schema.key) {
    const expr = node.columns[i];
    if (expr) for (const column of columnsIn(expr)) expect(node.input.schema.key).toContain(column);
  }
}

function columnsIn(expr: Expr): readonly number[] {
  return expr.node === 'column' ? [expr.index] : childrenOf(expr).flatMap(columnsIn);
}

function sameTypes(a: Schema, b: Schema): void {
  expect(a.columns.map(c => typeText(c.type))).toEqual(b.columns.map(c => typeText(c.type)));
}

function sameSchema(a: Schema, b: Schema): void {
  sameTypes(a, b);
  expect(a.key).toEqual(b.key);
  expect(a.windowed).toBe(b.windowed);
}

function checkTyped(expr: Expr, schema: Schema, type: SqlType | undefined): void {
  expect(type && typeText(type), exprText(expr)).toBe(typeText(expr.type));
  checkExpr(expr, schema);
}

function checkExpr(expr: Expr, schema: Schema): void {
  const say = exprText(expr);
  for (const part of childrenOf(expr)) checkExpr(part, schema);
  const types = childrenOf(expr).map(c => c.type);
  switch (expr.node) {
    case 'column': {
      const column = schema.columns[expr.index];
      expect(column && typeText(column.type), `${say} is column ${expr.index}`).toBe(typeText(expr.type));
      return;
    }
    case 'arithmetic': {
      const result = arithmeticType(expr.op, expr.left.type, expr.right.type);
      expect(result && typeText(result), say).toBe(typeText(expr.type));
      expect(expr.left.type.kind, say).toBe(expr.right.type.kind);
      return;
    }
    case 'compare':
      expect(sameType(expr.left.type, expr.right.type), say).toBe(true);
      expect(comparable(expr.left.type, expr.right.type, expr.op), say).toBe(true);
      return;
    case 'and':
    case 'or':
    case 'not':
      for (const type of types) expect(type.kind, say).toBe('BOOLEAN');
      return;
    case 'in':
      for (const type of types) expect(typeText(type), say).toBe(typeText(expr.arg.type));
      return;
    case 'case':
      for (const { when, then } of expr.whens) {
        expect(when.type.kind, say).toBe('BOOLEAN');
        expect(typeText(then.type), say).toBe(typeText(expr.type));
      }
      if (expr.otherwise) expect(typeText(expr.otherwise.type), say).toBe(typeText(expr.type));
      return;
    case 'cast':
      expect(canCast(expr.arg.type, expr.type), say).toBe(true);
      return;
    case 'array':
      for (const type of types) expect({ kind: 'ARRAY', element: type }, say).toEqual(expr.type);
      return;
    case 'map':
      for (const { key, value } of expr.entries) {
        expect({ kind: 'MAP', key: key.type, value: value.type }, say).toEqual(expr.type);
      }
      return;
    case 'struct':
      if (expr.type.kind !== 'STRUCT') throw new Error(`${say} is ${typeText(expr.type)}`);
      expect(types.map(typeText), say).toEqual(expr.type.fields.map(f => typeText(f.type)));
      return;
    case 'like':
      for (const type of types) expect(type.kind, say).toBe('STRING');
      return;
    default:
      return;
  }
}
