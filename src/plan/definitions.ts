import type { ErrorPlace } from '../core/errors.ts';
import type { Span } from '../core/span.ts';
import type { FunctionRegistry } from '../expr/registry.ts';
import { checkAggregateState } from '../sql/analyse/aggregate-state.ts';
import { analyseComplete } from '../sql/analyse/complete-query.ts';
import { matchInsert } from '../sql/analyse/insert-query.ts';
import type { Problems } from '../sql/analyse/problems.ts';
import { type ResolvedQuery, relationsRead } from '../sql/analyse/resolved-query.ts';
import { resolveSink } from '../sql/analyse/sink.ts';
import { analyseSource, type FormatDefaults } from '../sql/analyse/source.ts';
import { analyseStrict, type StrictResult } from '../sql/analyse/strict-query.ts';
import { resolveType } from '../sql/analyse/type-name.ts';
import type { CreateAs, CreateSource, CreateType, Identifier, InsertInto } from '../sql/ast.ts';
import { type Catalog, canonicalName, type Relation } from '../sql/catalog.ts';
import type { SinkSpec, SourceSpec } from './plan.ts';

/** A derived relation while statements are read: the queries that feed it and what they write. */
export interface Definition {
  readonly relation: Relation;
  readonly queries: readonly ResolvedQuery[];
  /** the declaration whose topic other records may enter */
  readonly outside: SourceSpec | null;
  readonly sink: SinkSpec | null;
  readonly description: string;
  readonly sql: string;
}

export interface DefineOptions {
  readonly catalog: Catalog;
  readonly functions: FunctionRegistry;
  readonly problems: Problems;
  readonly zone: string;
  readonly defaults: FormatDefaults;
  /** topic of a derived relation whose WITH names none */
  topicOf(name: Identifier): string;
}

export function defineSource(statement: CreateSource, options: DefineOptions): Relation {
  return analyseSource(statement, options);
}

export function defineType(statement: CreateType, options: DefineOptions): Catalog {
  const { catalog, problems } = options;
  const name = statement.name.name;
  if (catalog.findType(name)) {
    if (statement.ifNotExists) return catalog;
    throw problems.error('duplicate_name', statement.name.span, `type "${name}" exists already`);
  }
  return catalog.withType({ name, type: resolveType(statement.type, catalog, problems) });
}

/** CREATE STREAM | TABLE | VIEW name AS query. */
export function defineAs(statement: CreateAs, options: DefineOptions): Definition {
  const { problems } = options;
  if (statement.what === 'view') return defineView(statement, options);
  const result = analyseStrict(statement.query, {
    ...options,
    what: statement.what,
    name: statement.name.name,
    nameSpan: statement.name.span,
  });
  const before = problems.count;
  const { query } = result;
  const sink = resolveSink({
    statement,
    schema: query.schema,
    window: query.window,
    input: query.input,
    defaults: options.defaults,
    topic: options.topicOf(statement.name),
    problems,
    spanOf: column => result.spans[column] ?? statement.name.span,
  });
  checkAggregateState(query.group, query.input, problems, statement.name.span);
  if (problems.count > before) throw problems.errors[before] ?? problems.errors[0];
  return definition({ statement, query, sink, what: statement.what }, options);
}

function defineView(statement: CreateAs, options: DefineOptions): Definition {
  const { problems } = options;
  const [property] = statement.properties;
  if (property) {
    problems.report(
      'invalid_property',
      property.name.span,
      'a VIEW writes no topic and has no WITH properties',
      'write CREATE TABLE or CREATE STREAM to write a topic',
    );
  }
  const query = analyseComplete(statement.query, options);
  return definition({ statement, query, sink: null, what: 'view' }, options);
}

interface Parts {
  readonly statement: CreateAs;
  readonly query: ResolvedQuery;
  readonly sink: SinkSpec | null;
  readonly what: 'stream' | 'table' | 'view';
}

function definition(parts: Parts, options: DefineOptions): Definition {
  const { statement, query, sink } = parts;
  const relation: Relation = {
    name: statement.name.name,
    quoted: statement.name.quoted,
    kind: query.changes === 'append' ? 'stream' : 'table',
    statement: parts.what,
    changes: query.changes,
    schema: query.schema,
    hidden: query.hidden,
    window: query.window,
    readOnly: false,
    source: null,
    sink,
    reads: relationsRead(query).map(r => canonicalName(r.name, r.quoted)),
    place: place(options, statement.name.span),
  };
  return {
    relation,
    queries: [query],
    outside: null,
    sink,
    description: statement.comment,
    sql: sqlOf(options.problems, statement.span),
  };
}

/** INSERT INTO stream SELECT ...: one more query of the stream. */
export function defineInsert(
  statement: InsertInto,
  existing: Definition | undefined,
  options: DefineOptions,
): Definition {
  const { catalog, problems } = options;
  const target = catalog.find(statement.target);
  if (!target) {
    throw problems.error(
      'unknown_source',
      statement.target.span,
      `unknown stream "${statement.target.name}"`,
      catalog.suggestion(statement.target),
    );
  }
  refuseTarget(target, statement.target.span, problems, 'insert into');
  const result: StrictResult = analyseStrict(statement.query, {
    ...options,
    what: 'stream',
    name: target.name,
    nameSpan: statement.target.span,
  });
  const query = matchInsert(result, target, statement, problems);
  if (existing) {
    const sql = `${existing.sql};\n${sqlOf(problems, statement.span)}`;
    return { ...existing, queries: [...existing.queries, query], sql };
  }
  const { source } = target;
  return {
    relation: target,
    queries: [query],
    outside: source,
    sink: source && {
      topic: source.topic,
      partitions: source.partitions,
      keyFormat: source.keyFormat,
      valueFormat: source.valueFormat,
      timestamp: source.timestamp,
      window: source.window,
    },
    description: source?.description ?? '',
    sql: sqlOf(problems, statement.span),
  };
}

/** Records that others write into a derived stream's topic join the rows of its queries. */
export function openToOutside(definition: Definition): Definition {
  const { relation, outside, sink } = definition;
  return outside || !sink ? definition : { ...definition, outside: outsideOf(relation, sink) };
}

/** The topic of a derived stream as a source. */
function outsideOf(relation: Relation, sink: SinkSpec): SourceSpec {
  return {
    kind: 'stream',
    name: relation.name,
    topic: sink.topic,
    columns: relation.schema.columns.map((c, i) => ({
      name: c.name,
      type: c.type,
      from: relation.schema.key.includes(i) ? 'key' : 'value',
      header: null,
    })),
    keyFormat: sink.keyFormat,
    valueFormat: sink.valueFormat,
    timestamp: sink.timestamp,
    partitions: sink.partitions,
    window: null,
    description: '',
  };
}

/** What INSERT cannot write to. */
export function refuseTarget(target: Relation, span: Span, problems: Problems, verb: string): void {
  if (target.readOnly) {
    throw problems.error(
      'invalid_statement',
      span,
      `cannot ${verb} the read-only ${target.kind} "${target.name}"`,
      `declare it without SOURCE: CREATE ${target.kind.toUpperCase()} ${target.name}`,
    );
  }
  if (target.statement === 'view') {
    throw problems.error(
      'invalid_statement',
      span,
      `cannot ${verb} "${target.name}": it is a view`,
      'write the queries of a view as one: SELECT ... UNION ALL SELECT ...',
    );
  }
  if (verb === 'insert into' && target.kind === 'table') {
    throw problems.error(
      'invalid_statement',
      span,
      `INSERT INTO ... SELECT feeds streams; "${target.name}" is a table`,
      'make a table of a query: CREATE TABLE ... AS SELECT ..., or a view that unites both: CREATE VIEW ... AS SELECT ... UNION ALL SELECT ...',
    );
  }
  const header = target.source?.columns.find(c => c.from === 'headers' || c.from === 'header');
  if (verb === 'insert into' && header) {
    throw problems.error(
      'invalid_statement',
      span,
      `cannot insert into "${target.name}": its column "${header.name}" is filled from headers`,
      'declare the stream without that column',
    );
  }
}

function place(options: DefineOptions, span: Span): ErrorPlace {
  return { source: options.problems.source, span };
}

function sqlOf(problems: Problems, span: Span): string {
  return problems.source.text.slice(span.start, span.end);
}
