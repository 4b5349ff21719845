import { dateTimePattern } from '../../core/date-time-pattern.ts';
import type { Column } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import {
  arrayOf,
  BIGINT,
  BYTES,
  type SqlType,
  STRING,
  sameType,
  structOf,
  typeText,
} from '../../core/sql-type.ts';
import type { FormatName, SourceColumn, SourceSpec } from '../../plan/plan.ts';
import type { ColumnDefinition, CreateSource } from '../ast.ts';
import { type Catalog, canonical, type Relation } from '../catalog.ts';
import { closest } from '../suggest.ts';
import { checkFormat } from './formats.ts';
import { type Problems, reported } from './problems.ts';
import { isSystemColumn } from './system-columns.ts';
import { resolveType } from './type-name.ts';
import { formatSpec, readProperties, type WithProperties } from './with-properties.ts';

/** Session settings that decide what a declaration leaves out. */
export interface FormatDefaults {
  readonly keyFormat: FormatName;
  readonly valueFormat: FormatName | null;
  readonly wrapSingle: boolean;
}

export const FORMAT_DEFAULTS: FormatDefaults = Object.freeze({
  keyFormat: 'KAFKA',
  valueFormat: null,
  wrapSingle: true,
});

export interface SourceContext {
  readonly catalog: Catalog;
  readonly problems: Problems;
  readonly defaults: FormatDefaults;
}

/** The type of a HEADERS column: all headers of the record. */
const HEADERS_TYPE: SqlType = arrayOf(
  structOf([
    { name: 'KEY', type: STRING },
    { name: 'VALUE', type: BYTES },
  ]),
);

/** CREATE [SOURCE] STREAM | TABLE name (columns) WITH (...): ksqlDB's rules of declarations. */
export function analyseSource(statement: CreateSource, context: SourceContext): Relation {
  const { problems } = context;
  const before = problems.count;
  const properties = readProperties(statement.properties, 'source', problems);
  const columns = resolveColumns(statement, context);
  const name = statement.name.name;
  if (statement.columns.length === 0) {
    problems.report(
      'invalid_statement',
      statement.name.span,
      `${statement.what} "${name}" declares no columns`,
      'schemas are not read from a registry: list the columns',
    );
  }
  if (statement.readOnly && statement.orReplace) {
    problems.report(
      'invalid_statement',
      statement.name.span,
      `CREATE OR REPLACE is not supported for a source ${statement.what}`,
    );
  }
  if (properties.topic === null && !properties.spans.has('KAFKA_TOPIC')) {
    problems.report(
      'invalid_property',
      statement.name.span,
      'property KAFKA_TOPIC is missing',
      `add KAFKA_TOPIC = '${statement.name.name}' to WITH (...)`,
    );
  }
  if (statement.readOnly && properties.partitions !== null) {
    problems.report(
      'invalid_property',
      properties.spans.get('PARTITIONS') ?? statement.name.span,
      'a SOURCE does not create its topic: PARTITIONS is not for it',
    );
  }
  const { keyFormat, valueFormat } = sourceFormats(statement, columns, properties, context);
  const timestamp = checkTimestamp(properties, columns, problems, statement.name.span);
  const window = sourceWindow(statement, columns, properties, problems);
  if (problems.count > before) throw reported(problems);

  const source: SourceSpec = {
    kind: statement.what,
    name,
    topic: properties.topic ?? '',
    columns,
    keyFormat,
    valueFormat,
    timestamp,
    partitions: properties.partitions ?? 1,
    window,
    description: statement.comment,
  };
  return sourceRelation(source, statement, problems);
}

/** The relation that a declaration makes. */
export function sourceRelation(
  source: SourceSpec,
  statement: Pick<CreateSource, 'name' | 'readOnly'>,
  problems: Problems,
): Relation {
  const columns: Column[] = source.columns.map(c => ({ name: c.name, type: c.type }));
  const key = source.columns.flatMap((c, i) => (c.from === 'key' ? [i] : []));
  if (source.window) {
    key.push(columns.length, columns.length + 1);
    columns.push({ name: 'WINDOWSTART', type: BIGINT }, { name: 'WINDOWEND', type: BIGINT });
  }
  return {
    name: source.name,
    quoted: statement.name.quoted,
    kind: source.kind,
    statement: 'source',
    changes: source.kind === 'stream' ? 'append' : 'upsert',
    schema: { columns, key, windowed: source.window !== null },
    hidden: [],
    window: source.window,
    readOnly: statement.readOnly,
    source,
    sink: null,
    reads: [],
    place: { source: problems.source, span: statement.name.span },
  };
}

function resolveColumns(statement: CreateSource, context: SourceContext): SourceColumn[] {
  const { problems } = context;
  const seen = new Set<string>();
  const columns: SourceColumn[] = [];
  let allHeaders = false;
  for (const definition of statement.columns) {
    const name = definition.name.name;
    if (isSystemColumn(canonical(definition.name))) {
      problems.report(
        'invalid_statement',
        definition.name.span,
        `"${name}" is a reserved column name`,
        'it is there in every row without a declaration',
      );
    }
    if (seen.has(canonical(definition.name))) {
      problems.report('duplicate_name', definition.name.span, `column "${name}" is declared twice`);
    }
    seen.add(canonical(definition.name));
    checkConstraint(statement, definition, problems);
    if (definition.constraint === 'headers') {
      if (allHeaders || columns.some(c => c.from === 'header')) {
        problems.report(
          'invalid_statement',
          definition.name.span,
          'all headers are in another column already',
          'leave one of the two HEADERS columns out',
        );
      }
      allHeaders = true;
    } else if (definition.constraint === 'header' && allHeaders) {
      problems.report(
        'invalid_statement',
        definition.name.span,
        'all headers are in another column already',
        'leave one of the two HEADERS columns out',
      );
    } else if (definition.header !== null && columns.some(c => c.header === definition.header)) {
      problems.report(
        'invalid_statement',
        definition.name.span,
        `the header '${definition.header}' is in another column already`,
      );
    }
    const type = problems.attempt(() => resolveType(definition.type, context.catalog, problems));
    if (!type) continue;
    const column = sourceColumn(definition, type, problems);
    if (column) columns.push(column);
  }
  if (statement.what === 'table' && !statement.columns.some(c => c.constraint === 'primaryKey')) {
    if (statement.columns.length > 0 && !statement.columns.some(c => c.constraint === 'key')) {
      problems.report(
        'invalid_statement',
        statement.name.span,
        `table "${statement.name.name}" has no PRIMARY KEY column`,
        'write PRIMARY KEY behind the column that identifies a row',
      );
    }
  }
  return columns;
}

function checkConstraint(statement: CreateSource, definition: ColumnDefinition, problems: Problems): void {
  const name = definition.name.name;
  if (statement.what === 'stream' && definition.constraint === 'primaryKey') {
    problems.report(
      'invalid_statement',
      definition.name.span,
      `column "${name}" is a PRIMARY KEY, which only tables have`,
      'write KEY for streams',
    );
  }
  if (statement.what === 'table' && definition.constraint === 'key') {
    problems.report(
      'invalid_statement',
      definition.name.span,
      `column "${name}" is a KEY, which only streams have`,
      'write PRIMARY KEY for tables',
    );
  }
}

function sourceColumn(definition: ColumnDefinition, type: SqlType, problems: Problems): SourceColumn | null {
  const name = definition.name.name;
  switch (definition.constraint) {
    case 'headers':
      if (!sameIgnoringCase(type, HEADERS_TYPE)) {
        problems.report(
          'invalid_statement',
          definition.name.span,
          `a HEADERS column is an ARRAY<STRUCT<key STRING, value BYTES>>, not ${typeText(type)}`,
          'write ARRAY<STRUCT<key STRING, value BYTES>> HEADERS',
        );
        return null;
      }
      return { name, type, from: 'headers', header: null };
    case 'header':
      if (type.kind !== 'BYTES') {
        problems.report(
          'invalid_statement',
          definition.name.span,
          `a HEADER column is BYTES, not ${typeText(type)}`,
          "write BYTES, and read it with FROM_BYTES(column, 'utf8')",
        );
        return null;
      }
      return { name, type, from: 'header', header: definition.header };
    case 'key':
    case 'primaryKey':
      return { name, type, from: 'key', header: null };
    case null:
      return { name, type, from: 'value', header: null };
  }
}

/** The same type but for the case of field names; values have the same representation then. */
export function sameIgnoringCase(a: SqlType, b: SqlType): boolean {
  if (a.kind === 'ARRAY' && b.kind === 'ARRAY') return sameIgnoringCase(a.element, b.element);
  if (a.kind === 'MAP' && b.kind === 'MAP') {
    return sameIgnoringCase(a.key, b.key) && sameIgnoringCase(a.value, b.value);
  }
  if (a.kind === 'STRUCT' && b.kind === 'STRUCT') {
    return (
      a.fields.length === b.fields.length &&
      a.fields.every((f, i) => {
        const g = b.fields[i];
        return g && f.name.toUpperCase() === g.name.toUpperCase() && sameIgnoringCase(f.type, g.type);
      })
    );
  }
  return sameType(a, b);
}

function sourceFormats(
  statement: CreateSource,
  columns: readonly SourceColumn[],
  properties: WithProperties,
  context: SourceContext,
): Pick<SourceSpec, 'keyFormat' | 'valueFormat'> {
  const { problems, defaults } = context;
  const spanOf = (name: string) =>
    statement.columns.find(c => c.name.name === name)?.name.span ?? statement.name.span;
  const keys = columns.filter(c => c.from === 'key').map(c => ({ ...c, span: spanOf(c.name) }));
  const values = columns.filter(c => c.from === 'value').map(c => ({ ...c, span: spanOf(c.name) }));
  const written = properties.valueFormat ?? defaults.valueFormat;
  if (written === null && !properties.spans.has('VALUE_FORMAT') && !properties.spans.has('FORMAT')) {
    problems.report(
      'invalid_property',
      statement.name.span,
      'property VALUE_FORMAT is missing',
      "write VALUE_FORMAT = 'JSON'",
    );
  }
  const keyFormat = formatSpec({
    // a format without key columns says what keys of derived streams will be
    format: properties.keyFormat ?? (keys.length === 0 ? 'NONE' : defaults.keyFormat),
    delimiter: properties.keyDelimiter,
    wrapSingle: false,
  });
  const valueFormat = formatSpec({
    format: written ?? 'JSON',
    delimiter: properties.valueDelimiter,
    wrapSingle: properties.wrapSingle ?? defaults.wrapSingle,
  });
  checkFormat('key', keyFormat, keys, problems);
  checkFormat('value', valueFormat, values, problems);
  checkSettings(
    { properties, key: keyFormat.format, value: valueFormat.format, values: values.length },
    problems,
  );
  return { keyFormat, valueFormat };
}

/** Settings that only some formats have. */
export function checkSettings(
  options: {
    readonly properties: WithProperties;
    readonly key: FormatName;
    readonly value: FormatName;
    /** number of value columns */
    readonly values: number;
  },
  problems: Problems,
): void {
  const { properties } = options;
  const keyDelimiter = properties.spans.get('KEY_DELIMITER');
  if (keyDelimiter && options.key !== 'DELIMITED') {
    problems.report(
      'invalid_property',
      keyDelimiter,
      `format ${options.key} has no delimiter`,
      "leave KEY_DELIMITER out, or write KEY_FORMAT = 'DELIMITED'",
    );
  }
  const valueDelimiter = properties.spans.get('VALUE_DELIMITER');
  if (valueDelimiter && options.value !== 'DELIMITED') {
    problems.report(
      'invalid_property',
      valueDelimiter,
      `format ${options.value} has no delimiter`,
      "leave VALUE_DELIMITER out, or write VALUE_FORMAT = 'DELIMITED'",
    );
  }
  const wrap = properties.spans.get('WRAP_SINGLE_VALUE');
  if (wrap && properties.wrapSingle !== null) {
    if (options.value !== 'JSON' && !(options.value === 'DELIMITED' || options.value === 'KAFKA')) {
      problems.report('invalid_property', wrap, `format ${options.value} has no WRAP_SINGLE_VALUE`);
    } else if (options.value !== 'JSON' && properties.wrapSingle) {
      problems.report('invalid_property', wrap, `format ${options.value} cannot wrap a single value`);
    } else if (options.values !== 1) {
      problems.report(
        'invalid_property',
        wrap,
        `WRAP_SINGLE_VALUE is only for a single value column, but there are ${options.values}`,
        'leave WRAP_SINGLE_VALUE out',
      );
    }
  }
}

/** WITH (TIMESTAMP = 'column', TIMESTAMP_FORMAT = '...'). */
export function checkTimestamp(
  properties: WithProperties,
  columns: readonly Column[],
  problems: Problems,
  fallback: Span,
): SourceSpec['timestamp'] {
  const formatSpan = properties.spans.get('TIMESTAMP_FORMAT');
  if (properties.timestamp === null) {
    if (formatSpan) {
      problems.report('invalid_property', formatSpan, 'TIMESTAMP_FORMAT needs a TIMESTAMP column');
    }
    return null;
  }
  const span = properties.spans.get('TIMESTAMP') ?? fallback;
  const wanted = properties.timestamp.replace(/^`(.*)`$/, '$1');
  const column =
    columns.find(c => c.name === wanted) ?? columns.find(c => c.name.toUpperCase() === wanted.toUpperCase());
  if (!column) {
    const near = closest(
      wanted,
      columns.map(c => c.name),
    );
    problems.report(
      'unknown_column',
      span,
      `the TIMESTAMP column "${wanted}" does not exist`,
      near === null ? `the columns are ${columns.map(c => c.name).join(', ')}` : `did you mean '${near}'?`,
    );
    return null;
  }
  const { kind } = column.type;
  if (kind !== 'BIGINT' && kind !== 'TIMESTAMP' && kind !== 'STRING') {
    problems.report(
      'invalid_property',
      span,
      `the TIMESTAMP column "${column.name}" is ${typeText(column.type)}; it must be BIGINT, TIMESTAMP or STRING`,
      'declare it BIGINT (ms since 1970), or leave TIMESTAMP out: then the time of the record counts',
    );
  } else if (kind !== 'STRING' && formatSpan) {
    problems.report(
      'invalid_property',
      formatSpan,
      `TIMESTAMP_FORMAT is for STRING columns, not ${kind}`,
      'leave TIMESTAMP_FORMAT out',
    );
  } else if (kind === 'STRING' && properties.timestampFormat === null) {
    problems.report(
      'invalid_property',
      span,
      `the TIMESTAMP column "${column.name}" is a STRING: say how to read it`,
      "add TIMESTAMP_FORMAT = 'yyyy-MM-dd HH:mm:ss' or the like",
    );
  }
  const format = properties.timestampFormat;
  if (format !== null && formatSpan) {
    try {
      dateTimePattern(format);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.report(
        'invalid_property',
        formatSpan,
        `TIMESTAMP_FORMAT: ${reason}`,
        "write a pattern such as 'yyyy-MM-dd HH:mm:ss'",
      );
    }
  }
  return { column: column.name, format };
}

function sourceWindow(
  statement: CreateSource,
  columns: readonly SourceColumn[],
  properties: WithProperties,
  problems: Problems,
): SourceSpec['window'] {
  const type = properties.windowType;
  const sizeSpan = properties.spans.get('WINDOW_SIZE');
  if (type === null) {
    if (sizeSpan && !properties.spans.has('WINDOW_TYPE')) {
      problems.report(
        'invalid_property',
        sizeSpan,
        'WINDOW_SIZE needs a WINDOW_TYPE',
        "add WINDOW_TYPE = 'TUMBLING'",
      );
    }
    return null;
  }
  const span = properties.spans.get('WINDOW_TYPE') ?? statement.name.span;
  if (!columns.some(c => c.from === 'key')) {
    problems.report(
      'invalid_statement',
      span,
      'a windowed source needs a key column',
      'write KEY behind the column that is the key',
    );
  }
  if (type === 'session' && sizeSpan) {
    problems.report(
      'invalid_property',
      sizeSpan,
      'session windows have no WINDOW_SIZE',
      'leave WINDOW_SIZE out',
    );
  }
  if (type !== 'session' && !sizeSpan) {
    problems.report(
      'invalid_property',
      span,
      `a ${type} window needs WINDOW_SIZE`,
      "add WINDOW_SIZE = '1 HOUR', or what it is",
    );
  }
  return { type, size: type === 'session' ? null : properties.windowSize };
}
