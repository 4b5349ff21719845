import type { Column, Schema } from '../../core/schema.ts';
import { BIGINT } from '../../core/sql-type.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Expression } from '../ast.ts';
import type { Relation } from '../catalog.ts';
import { isDeterministic, readsOuter } from './expr-tree.ts';
import { ExpressionResolver, type ResolverContext } from './expression.ts';
import type { FromRelation, LateralCall, TableFunctionSyntax } from './from.ts';
import type { JoinSide } from './resolved-query.ts';
import { BEHIND_COLUMNS, scopeOf } from './scope.ts';
import { hasSubquery } from './subqueries.ts';
import { readsClock } from './temporal.ts';

/** In KSQL GENERATE_SERIES gives an ARRAY and can count down; in FROM it makes rows, upwards unless a step is given. */
function inFrom(call: Expression): Expression {
  if (call.kind !== 'call' || call.name.name.toUpperCase() !== 'GENERATE_SERIES') return call;
  const step: Expression = { kind: 'number', text: '1', span: call.span };
  const args = call.args.length === 2 ? [...call.args, step] : call.args;
  return { ...call, args, name: { ...call.name, name: 'SERIES_ROWS' } };
}

/** FROM t, UNNEST(t.xs) AS x: a table function with the relations before it in view. */
export function lateralRelation(
  { call: written, ordinality, alias, columns, span }: TableFunctionSyntax,
  before: readonly FromRelation[],
  shared: ResolverContext,
): FromRelation {
  const { problems, functions } = shared;
  const call = inFrom(written);
  const fn = call.kind === 'call' ? functions.find(call.name.name) : undefined;
  const [named, numbered] = columns;
  const extra = columns[ordinality ? 2 : 1];
  if (call.kind !== 'call' || fn?.kind !== 'table') {
    throw problems.error(
      'invalid_statement',
      call.span,
      'in FROM stand relations, subqueries and table functions, and this is none of them',
      `table functions: GENERATE_SERIES, ${functions.names('table').join(', ')}`,
    );
  }
  if (before.length === 0) {
    throw problems.error(
      'invalid_statement',
      span,
      `${fn.name} stands alone or first in FROM: it makes rows of the rows before it, and there are none`,
      'write FROM t, UNNEST(t.list) AS x',
    );
  }
  if (extra) {
    throw problems.error(
      'invalid_statement',
      extra.span,
      `${fn.name} gives ${ordinality ? 'two columns' : 'one column'}, but more names are given`,
      ordinality
        ? 'leave the others out'
        : 'leave the others out; WITH ORDINALITY behind the function numbers its rows',
    );
  }
  const place = ordinality ? (numbered?.name ?? 'ordinality') : null;
  const lateral: { made: LateralCall | null } = { made: null };
  const scope = scopeOf(before, true);
  const resolver = new ExpressionResolver(
    { ...shared, scope: { ...scope, outer: shared.scope.outer } },
    {
      clause: 'FROM',
      tableFunctions: {
        add(made): Expr {
          lateral.made = { ...made, ordinality: place };
          return { node: 'column', type: made.type, index: 0, name: fn.name };
        },
      },
    },
  );
  resolver.typed(call);
  const { made } = lateral;
  if (!made) throw new TypeError('a table function is added');
  if (made.args.some(a => readsClock(a) || !isDeterministic(a) || hasSubquery(a) || readsOuter(a))) {
    throw problems.error(
      'invalid_statement',
      call.span,
      'a table function in FROM reads columns of the relations before it: no clock, no random value, no subquery, nothing of a query around',
      'compute the argument in a subquery in FROM',
    );
  }
  const name = alias ?? (written.kind === 'call' ? written.name : call.name);
  const schema: Schema = {
    columns: [{ name: (named ?? name).name, type: made.type }, ...ordinalityColumn(made)],
    key: [],
    windowed: false,
  };
  const relation: Relation = {
    name: name.name,
    quoted: name.quoted,
    kind: 'stream',
    statement: 'view',
    changes: 'append',
    schema,
    hidden: [],
    window: null,
    readOnly: true,
    source: null,
    sink: null,
    reads: [],
    place: { source: problems.source, span: name.span },
  };
  return { relation, name, span, lateral: made };
}

/** The rows of a side, each with the rows that a table function makes of it. */
export function explodedSide(input: JoinSide, call: LateralCall, name: string): JoinSide {
  const { fn, args, type } = call;
  const numbers = ordinalityColumn(call);
  const columns = [...input.schema.columns, { name, type }, ...numbers, ...BEHIND_COLUMNS];
  const schema: Schema = { columns, key: [], windowed: false };
  return { kind: 'exploded', input, fn, args, type, ordinality: numbers.length > 0, schema };
}

function ordinalityColumn({ ordinality }: LateralCall): readonly Column[] {
  return ordinality === null ? [] : [{ name: ordinality, type: BIGINT }];
}
