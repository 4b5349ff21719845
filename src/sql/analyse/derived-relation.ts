import type { Schema } from '../../core/schema.ts';
import type { Expr } from '../../expr/expr.ts';
import type { RelationKind, SourceSpec } from '../../plan/plan.ts';
import type { Identifier } from '../ast.ts';
import { canonical, canonicalName, type Relation } from '../catalog.ts';
import type { Problems } from './problems.ts';
import type { DerivedRows, JoinSide, ResolvedQuery } from './resolved-query.ts';

/** Rows of a query that stands inside of another. */
export interface Rows {
  readonly derived: DerivedRows;
  /** so many of the first columns stand in the select list; the others are bounds of windows, and hidden ones */
  readonly listed: number;
}

/** What readers of the rows see. */
export interface RowsShape {
  readonly schema: Schema;
  readonly changes: RelationKind;
  readonly hidden: readonly number[];
  readonly window: SourceSpec['window'];
}

export function rowsOf(rows: DerivedRows): RowsShape {
  return rows.kind === 'query' ? rows.query : { ...rows, hidden: [], window: null };
}

/** Every column of a schema as an expression. */
export function columnExprs(schema: Schema): readonly Expr[] {
  return schema.columns.map(({ name, type }, index) => ({ node: 'column', type, index, name }));
}

/** Sources that a query may read when its common tables are written out wherever they are named. */
const MOST_READS = 256;

/** The rows under a name, with names for the first columns. */
export function derivedRelation(
  { derived, listed }: Rows,
  options: {
    readonly name: Identifier;
    readonly columns: readonly Identifier[];
    readonly problems: Problems;
  },
): Relation {
  const { name, columns: names, problems } = options;
  const { schema, changes, hidden, window } = rowsOf(derived);
  const extra = names[listed];
  if (extra) {
    throw problems.error(
      'invalid_statement',
      extra.span,
      `"${name.name}" has ${listed === 1 ? 'one column' : `${listed} columns`}, but ${names.length} names are given`,
      `leave ${extra.name} out, or select another column`,
    );
  }
  const reads = readsOfRows(derived);
  if (reads > MOST_READS) {
    throw problems.error(
      'invalid_statement',
      name.span,
      `"${name.name}" reads ${reads} sources when every common table is written out where it is named; at most ${MOST_READS} can be read`,
      'make a view of its own of the common table: CREATE VIEW ... AS',
    );
  }
  const columns = schema.columns.map((column, i) => ({ ...column, name: names[i]?.name ?? column.name }));
  checkDistinct(columns.slice(0, listed), names, problems);
  return {
    name: name.name,
    quoted: name.quoted,
    kind: changes === 'append' ? 'stream' : 'table',
    statement: 'view',
    changes,
    schema: { ...schema, columns },
    hidden,
    window,
    readOnly: true,
    source: null,
    sink: null,
    reads: [],
    place: { source: problems.source, span: name.span },
    derived,
  };
}

function checkDistinct(
  columns: readonly { readonly name: string }[],
  names: readonly Identifier[],
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const [i, column] of columns.entries()) {
    const at = names[i];
    const key = at ? canonical(at) : canonicalName(column.name, false);
    if (at && seen.has(key)) {
      throw problems.error(
        'duplicate_name',
        at.span,
        `two columns are called "${at.name}"`,
        'give one of them another name',
      );
    }
    seen.add(key);
  }
}

const counted = new WeakMap<DerivedRows, number>();

function readsOfRows(rows: DerivedRows): number {
  const known = counted.get(rows);
  if (known !== undefined) return known;
  const reads =
    rows.kind === 'query'
      ? readsOfQuery(rows.query)
      : readsOfRows(rows.left.rows) + readsOfRows(rows.right.rows);
  counted.set(rows, reads);
  return reads;
}

function readsOfQuery({ side, input }: ResolvedQuery): number {
  const ofRelation = (relation: Relation) => (relation.derived ? readsOfRows(relation.derived) : 1);
  const ofSide = (from: JoinSide): number => {
    if (from.kind === 'relation') return ofRelation(from.relation);
    return from.kind === 'join' ? ofSide(from.join.left) + ofSide(from.join.right) : ofSide(from.input);
  };
  return side ? ofSide(side) : ofRelation(input);
}

/** All rows of an input as they are. */
export function plainQuery(input: Relation, side: JoinSide | null): ResolvedQuery {
  return {
    input,
    side,
    pseudo: false,
    where: null,
    temporal: null,
    rekey: null,
    explode: [],
    group: null,
    having: null,
    columns: columnExprs(input.schema),
    schema: input.schema,
    hidden: [],
    distinct: false,
    copies: false,
    keyed: false,
    final: null,
    changes: input.changes,
    window: null,
  };
}
