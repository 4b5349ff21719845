import fc from 'fast-check';
import type {
  ColumnDefinition,
  Comparison,
  Expression,
  GroupBy,
  Identifier,
  Join,
  OrderItem,
  Property,
  Query,
  QueryBody,
  Relation,
  Select,
  SelectItem,
  Statement,
  TypeName,
  WindowClause,
} from '../../../src/sql/ast.ts';

/** Random syntax trees of the shapes that the parser makes. Spans are all the same: compare without them. */
const span = { start: 0, end: 0 };

const bareName = fc.constantFrom(
  'a',
  'b1',
  'Amount',
  'date',
  'size',
  'stream',
  'KEY',
  'array',
  '1st',
  'day',
  'x@y',
  'emit',
  'set',
);
const quotedName = fc.constantFrom('a b', 'select', 'x`y', 'Ünïcode', "it's", '"', '${v', '--', '1');
const identifier: fc.Arbitrary<Identifier> = fc.oneof(
  { weight: 5, arbitrary: bareName.map(name => ({ name, quoted: false, span })) },
  { weight: 1, arbitrary: quotedName.map(name => ({ name, quoted: true, span })) },
);
const fieldName: fc.Arbitrary<Identifier> = fc.oneof(
  identifier,
  fc.constantFrom('from', 'SELECT', 'null').map(name => ({ name, quoted: false, span })),
);
const text = fc.constantFrom('', 'x', "it's", 'two\nlines', '--', '/*', '`"');
const number = fc.constantFrom('0', '42', '1.50', '.5', '3.', '1e10', '2.5E-3', '9223372036854775808');
const unit = fc.constantFrom(
  'MILLISECOND',
  'SECOND',
  'MINUTE',
  'HOUR',
  'DAY',
  'WEEK',
  'MONTH',
  'QUARTER',
  'YEAR',
);
const duration = fc.constantFrom(1, 1000, 1500, 60_000, 3_600_000, 5_400_000, 86_400_000);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const some = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.array(arbitrary, { minLength: 1, maxLength: 3, size: 'small' });
const few = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { maxLength: 2, size: 'small' });

const namedType: fc.Arbitrary<TypeName> = fc.record({
  kind: fc.constant('named'),
  name: fc.constantFrom('INT', 'string', 'DECIMAL', 'address').map(name => ({ name, quoted: false, span })),
  args: fc.constantFrom<readonly number[]>([], [10, 2]),
  span: fc.constant(span),
});

function nestedType(inner: fc.Arbitrary<TypeName>): fc.Arbitrary<TypeName> {
  return fc.oneof(
    inner,
    inner.map((element): TypeName => ({ kind: 'array', element, span })),
    fc.tuple(inner, inner).map(([key, value]): TypeName => ({ kind: 'map', key, value, span })),
    few(fc.record({ name: identifier, type: inner })).map(
      (fields): TypeName => ({ kind: 'struct', fields, span }),
    ),
  );
}

const typeName = nestedType(nestedType(namedType));

/** Trees of at most some height; the next level is made of these. */
interface Trees {
  readonly expression: fc.Arbitrary<Expression>;
  readonly relation: fc.Arbitrary<Relation>;
  readonly body: fc.Arbitrary<QueryBody>;
  readonly query: fc.Arbitrary<Query>;
}

const plainColumn = fc
  .tuple(optional(identifier), identifier)
  .map(([qualifier, name]): Expression => ({ kind: 'column', qualifier, name, span }));

const count = number.map((digits): Expression => ({ kind: 'number', text: digits, span }));

const literal: fc.Arbitrary<Expression> = fc.oneof(
  fc.constant<Expression>({ kind: 'null', span }),
  fc.boolean().map((value): Expression => ({ kind: 'boolean', value, span })),
  number.map((digits): Expression => ({ kind: 'number', text: digits, span })),
  text.map((value): Expression => ({ kind: 'string', value, span })),
  fc
    .tuple(fc.constantFrom('date', 'time', 'timestamp'), text)
    .map(([type, value]): Expression => ({ kind: 'typedLiteral', type, value, unit: null, span })),
  fc
    .tuple(text, unit)
    .map(([value, u]): Expression => ({ kind: 'typedLiteral', type: 'interval', value, unit: u, span })),
);

const binaryOp = fc.constantFrom(
  ...(['or', 'and', '=', '<>', '<', '<=', '>', '>=', 'is distinct from', 'is not distinct from'] as const),
  ...(['+', '-', '*', '/', '%', '||', 'at time zone'] as const),
);

const NO_TAIL = { orderBy: [], limit: null, offset: null, emit: null };

function higher(below: Trees): Trees {
  const e = below.expression;
  const argument: fc.Arbitrary<Expression> = fc.oneof(
    { weight: 6, arbitrary: e },
    {
      weight: 1,
      arbitrary: fc
        .tuple(some(identifier), e)
        .map(([parameters, body]): Expression => ({ kind: 'lambda', parameters, body, span })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.nat(9), unit)
        .map(([amount, u]): Expression => ({ kind: 'duration', amount, unit: u, span })),
    },
  );
  const order = fc.record<OrderItem>({
    expression: e,
    descending: fc.boolean(),
    nulls: fc.constantFrom('first', 'last', null),
    span: fc.constant(span),
  });
  const call = fc
    .record({
      name: fc
        .constantFrom('count', 'f', 'LEFT', 'DATEADD', 'struct_of')
        .map(name => ({ name, quoted: false, span })),
      args: few(argument),
      distinct: fc.boolean(),
      order: optional(fc.record({ items: some(order), within: fc.boolean() })),
      filter: optional(e),
      over: optional(
        fc.record({
          partitionBy: few(e),
          orderBy: few(order),
          frame: fc.constantFrom(null, 'ROWS BETWEEN 3 PRECEDING AND CURRENT ROW'),
          span: fc.constant(span),
        }),
      ),
    })
    .map(({ order: by, ...c }): Expression => {
      const call = { kind: 'call', ...c, distinct: c.distinct && c.args.length > 0, span } as const;
      // without an argument only a group is ordered
      return by && (by.within || c.args.length > 0) ? { ...call, order: by } : call;
    });
  const whens = some(fc.record({ when: e, then: e }));
  const expression = fc.oneof(
    plainColumn,
    literal,
    call,
    fc
      .tuple(fc.constantFrom('-', '+', 'not'), e)
      .map(([op, arg]): Expression => ({ kind: 'unary', op, arg, span })),
    fc
      .tuple(binaryOp, e, e)
      .map(([op, left, right]): Expression => ({ kind: 'binary', op, left, right, span, opSpan: span })),
    fc
      .tuple(e, e, e, fc.boolean())
      .map(([arg, low, high, negated]): Expression => ({ kind: 'between', arg, low, high, negated, span })),
    fc.tuple(e, e, optional(e), fc.boolean()).map(
      ([arg, pattern, by, negated]): Expression => ({
        kind: 'like',
        arg,
        pattern,
        escape: by,
        negated,
        span,
      }),
    ),
    fc
      .tuple(
        e,
        fc.oneof(
          some(e).filter(l => l.length > 1 || l[0]?.kind !== 'subquery'),
          below.query,
        ),
        fc.boolean(),
      )
      .map(([arg, list, negated]): Expression => ({ kind: 'in', arg, list, negated, span })),
    fc.tuple(e, fc.boolean()).map(([arg, negated]): Expression => ({ kind: 'isNull', arg, negated, span })),
    fc
      .tuple(e, fc.boolean(), fc.boolean())
      .map(([arg, truth, negated]): Expression => ({ kind: 'isTruth', arg, truth, negated, span })),
    fc
      .tuple(optional(e), whens, optional(e))
      .map(([operand, w, otherwise]): Expression => ({ kind: 'case', operand, whens: w, otherwise, span })),
    fc.tuple(e, typeName).map(([arg, type]): Expression => ({ kind: 'cast', arg, type, span })),
    fc.tuple(e, fieldName).map(([arg, name]): Expression => ({ kind: 'field', arg, name, span })),
    fc.tuple(e, e).map(([arg, index]): Expression => ({ kind: 'subscript', arg, index, span })),
    few(e).map((items): Expression => ({ kind: 'array', items, span })),
    few(fc.record({ key: e, value: e })).map((entries): Expression => ({ kind: 'map', entries, span })),
    few(fc.record({ name: identifier, value: e })).map(
      (fields): Expression => ({ kind: 'struct', fields, span }),
    ),
    fc
      .tuple(fc.constantFrom('YEAR', 'DOW', 'EPOCH', 'MILLISECONDS', 'SECOND'), e)
      .map(([part, arg]): Expression => ({ kind: 'extract', part, arg, span })),
    fc
      .tuple(e, fc.constantFrom('<>', '<', '<=', '>', '>=') as fc.Arbitrary<Comparison>, below.query)
      .map(([arg, op, query]): Expression => ({ kind: 'any', arg, op, query, span })),
    below.query.map((query): Expression => ({ kind: 'exists', query, span })),
    below.query.map((query): Expression => ({ kind: 'subquery', query, span })),
  );
  const item = fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .tuple(e, optional(identifier))
        .map(([x, alias]): SelectItem => ({ kind: 'expression', expression: x, alias, span })),
    },
    {
      weight: 1,
      arbitrary: optional(identifier).map((qualifier): SelectItem => ({ kind: 'all', qualifier, span })),
    },
    { weight: 1, arbitrary: e.map((arg): SelectItem => ({ kind: 'structAll', arg, span })) },
  );
  const window = fc
    .record({
      name: optional(fc.constant<Identifier>({ name: 'w', quoted: false, span })),
      type: fc.constantFrom('tumbling', 'hopping', 'session'),
      size: duration,
      advance: duration,
      grace: optional(duration),
      retention: optional(duration),
    })
    .map((w): WindowClause => ({ ...w, advance: w.type === 'hopping' ? w.advance : null, span }));
  const groupBy = fc.oneof(
    { weight: 4, arbitrary: some(e).map((items): GroupBy => ({ items, sets: null, span })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(few(e), fc.constantFrom('groupingSets', 'rollup', 'cube'), some(few(e)))
        .map(([items, kind, groups]): GroupBy => ({ items, sets: { kind, groups }, span })),
    },
  );
  const select = fc.record<Select>({
    kind: fc.constant('select'),
    distinct: fc.boolean(),
    items: some(item),
    from: optional(below.relation),
    window: optional(window),
    where: optional(e),
    groupBy: optional(groupBy),
    having: optional(e),
    partitionBy: optional(some(e)),
    span: fc.constant(span),
  });
  const names = few(identifier);
  const relation = fc.oneof(
    fc
      .tuple(identifier, optional(identifier))
      .map(([name, alias]): Relation => ({ kind: 'table', name, alias, span })),
    fc
      .tuple(below.relation, below.relation, e, optional(duration), some(identifier))
      .chain(([left, right, on, within, using]) =>
        fc.constantFrom('inner', 'left', 'right', 'full', 'cross', 'using').map((type): Join => {
          const base = { kind: 'join' as const, left, right, on: null, using: [], within: null, span };
          if (type === 'cross') return { ...base, type };
          if (type === 'using') return { ...base, type: 'left', using };
          const around = within === null ? null : { before: within, after: 1000, grace: within, span };
          return { ...base, type, on, within: around };
        }),
      ),
    fc
      .tuple(below.query, identifier, names)
      .map(([query, alias, columns]): Relation => ({ kind: 'subquery', query, alias, columns, span })),
    fc
      .tuple(call, identifier, names)
      .filter(([c]) => c.kind === 'call' && c.name.name !== 'LEFT')
      .map(([c, alias, columns]): Relation => ({ kind: 'tableFunction', call: c, alias, columns, span })),
  );
  const body = fc.oneof(
    { weight: 4, arbitrary: select },
    { weight: 1, arbitrary: some(some(e)).map((rows): QueryBody => ({ kind: 'values', rows, span })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('union', 'intersect', 'except'), fc.boolean(), below.body, below.body)
        .map(([op, all, left, right]): QueryBody => ({ kind: 'setOperation', op, all, left, right, span })),
    },
    {
      weight: 1,
      // a query with a tail of its own, as an operand
      arbitrary: fc.tuple(below.query, below.body, count).map(([query, right, limit]): QueryBody => {
        const nested: QueryBody = { kind: 'nested', query: { ...query, limit }, span };
        return { kind: 'setOperation', op: 'union', all: true, left: nested, right, span };
      }),
    },
  );
  const query = fc
    .tuple(
      fc.boolean(),
      few(fc.record({ name: identifier, columns: names, query: below.query, span: fc.constant(span) })),
      below.body,
      few(order),
      fc.tuple(optional(count), optional(count)),
      optional(
        fc.constantFrom(
          { mode: 'changes' as const, closeAfter: null, span },
          { mode: 'final' as const, closeAfter: null, span },
          { mode: 'final' as const, closeAfter: 90_000, span },
        ),
      ),
    )
    .map(
      ([plain, ctes, b, orderBy, [limit, offset], emit]): Query =>
        plain
          ? { with: [], body: b, ...NO_TAIL, span }
          : { with: ctes, body: b, orderBy, limit, offset, emit, span },
    );
  return { expression, relation, body, query };
}

const leaf = fc.oneof(plainColumn, literal);
const table = identifier.map((name): Relation => ({ kind: 'table', name, alias: null, span }));
const smallSelect = fc.tuple(leaf, table).map(
  ([expression, from]): Select => ({
    ...{
      kind: 'select',
      distinct: false,
      items: [{ kind: 'expression', expression, alias: null, span }],
      from,
      span,
    },
    ...{ window: null, where: null, groupBy: null, having: null, partitionBy: null },
  }),
);
const leaves: Trees = {
  expression: leaf,
  relation: table,
  body: smallSelect,
  query: smallSelect.map(body => ({ with: [], body, ...NO_TAIL, span })),
};
const trees = higher(higher(higher(leaves)));

const value: fc.Arbitrary<Expression> = literal.filter(l => l.kind !== 'typedLiteral');
const properties = few(
  fc.record<Property>({
    name: fc
      .constantFrom('kafka_topic', 'VALUES', 'ksql.some-setting')
      .map(name => ({ name, quoted: false, span })),
    value,
  }),
);
const column = fc
  .record({
    name: identifier,
    type: typeName,
    constraint: fc.constantFrom(null, 'key', 'primaryKey', 'headers', 'header'),
  })
  .map((c): ColumnDefinition => ({ ...c, header: c.constraint === 'header' ? "it's" : null, span }));
const flag = fc.boolean();
const sourceKind = fc.constantFrom('stream', 'table');
const anyKind = fc.constantFrom('stream', 'table', 'view');
const base = { comment: '', span };
const nothing = {
  ...base,
  target: null,
  not: false,
  columns: [],
  values: [],
  definition: [],
  properties: [],
  timeout: null,
};

const statementOnly: fc.Arbitrary<Statement> = fc.oneof(
  fc
    .record({
      what: sourceKind,
      name: identifier,
      orReplace: flag,
      ifNotExists: flag,
      readOnly: flag,
      columns: few(column),
      properties,
    })
    .map((s): Statement => ({ kind: 'createSource', ...s, ...base })),
  fc
    .record({
      what: anyKind,
      name: identifier,
      orReplace: flag,
      ifNotExists: flag,
      properties,
      query: trees.query,
    })
    .map((s): Statement => ({ kind: 'createAs', ...s, ...base })),
  fc
    .record({ target: identifier, properties, query: trees.query.filter(q => q.body.kind === 'select') })
    .map((s): Statement => ({ kind: 'insertInto', ...s, ...base })),
  fc
    .record({ target: identifier, columns: few(identifier), rows: some(some(trees.expression)) })
    .map((s): Statement => ({ kind: 'insertValues', ...s, ...base })),
  trees.query.map((query): Statement => ({ kind: 'select', query, ...base })),
  fc
    .record({ name: identifier, ifNotExists: flag, type: typeName })
    .map((s): Statement => ({ kind: 'createType', ...s, ...base })),
  fc
    .record({ what: anyKind, name: identifier, ifExists: flag, deleteTopic: flag })
    .map((s): Statement => ({ kind: 'drop', ...s, ...base })),
  fc
    .record({ name: identifier, ifExists: flag })
    .map((s): Statement => ({ kind: 'dropType', ...s, ...base })),
  fc
    .record({
      what: sourceKind,
      name: identifier,
      add: some(column.map(c => ({ ...c, constraint: null, header: null }))),
    })
    .map((s): Statement => ({ kind: 'alter', ...s, ...base })),
  fc
    .record({
      what: fc.constantFrom('values', 'nullValues'),
      target: identifier,
      columns: few(identifier),
      values: some(value),
    })
    .map((s): Statement => ({ kind: 'assert', ...nothing, ...s })),
  fc
    .record({ what: sourceKind, target: identifier, definition: few(column), properties })
    .map((s): Statement => ({ kind: 'assert', ...nothing, ...s })),
  fc
    .record({
      what: fc.constant('topic'),
      not: flag,
      target: identifier,
      properties,
      timeout: optional(duration),
    })
    .map((s): Statement => ({ kind: 'assert', ...nothing, ...s })),
  fc
    .record({
      what: fc.constant('schema'),
      not: flag,
      target: optional(identifier),
      values: few(value).map(v => v.slice(0, 1)),
    })
    .map((s): Statement => ({ kind: 'assert', ...nothing, ...s })),
  text.map(
    (t): Statement => ({
      kind: 'assert',
      ...nothing,
      what: 'clock',
      values: [{ kind: 'string', value: t, span }],
    }),
  ),
  fc.tuple(identifier, text).map(([name, v]): Statement => ({ kind: 'define', name, value: v, ...base })),
  identifier.map((name): Statement => ({ kind: 'undefine', name, ...base })),
  fc.tuple(text, text).map(([property, v]): Statement => ({ kind: 'set', property, value: v, ...base })),
  text.map((property): Statement => ({ kind: 'unset', property, ...base })),
  fc
    .constantFrom('SHOW STREAMS', 'LIST ALL TOPICS')
    .map((command): Statement => ({ kind: 'other', command, ...base })),
);

export const statement: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 9, arbitrary: statementOnly },
  {
    weight: 1,
    arbitrary: fc
      .oneof(identifier, statementOnly)
      .map((target): Statement => ({ kind: 'explain', target, ...base })),
  },
);

/** The tree as text, without places. */
export function withoutSpans(tree: unknown): string {
  return JSON.stringify(
    tree,
    (key, v: unknown) => (key === 'span' || key === 'opSpan' ? undefined : sorted(v)),
    1,
  );
}

function sorted(v: unknown): unknown {
  if (v === null || typeof v !== 'object' || Array.isArray(v)) return v;
  return Object.fromEntries(Object.entries(v).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
