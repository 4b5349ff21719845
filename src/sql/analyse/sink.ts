import type { Schema } from '../../core/schema.ts';
import type { Span } from '../../core/span.ts';
import type { FormatSpec, SinkSpec, SourceSpec } from '../../plan/plan.ts';
import type { CreateAs } from '../ast.ts';
import { formatsOf, type Relation } from '../catalog.ts';
import { checkFormat } from './formats.ts';
import type { Problems } from './problems.ts';
import { checkSettings, checkTimestamp, type FormatDefaults } from './source.ts';
import { formatSpec, readProperties } from './with-properties.ts';

export interface SinkOptions {
  readonly statement: CreateAs;
  readonly schema: Schema;
  readonly window: SourceSpec['window'];
  readonly input: Relation;
  readonly defaults: FormatDefaults;
  /** topic where WITH names none */
  readonly topic: string;
  readonly problems: Problems;
  /** where a column of the result was written */
  readonly spanOf: (column: number) => Span;
}

/** The topic of CREATE STREAM | TABLE ... AS: what WITH says, else what the source has. */
export function resolveSink(options: SinkOptions): SinkSpec {
  const { statement, schema, problems, defaults, input } = options;
  const properties = readProperties(statement.properties, 'query', problems);
  const inherited = formatsOf(input);
  const windowColumns = new Set(schema.windowed ? schema.key.slice(-2) : []);
  const columns = schema.columns.map((c, i) => ({ ...c, i, span: options.spanOf(i) }));
  const keys = schema.key.filter(i => !windowColumns.has(i)).flatMap(i => columns.filter(c => c.i === i));
  const values = columns.filter(c => !schema.key.includes(c.i));

  const explicitKey = properties.spans.get('KEY_FORMAT');
  if (explicitKey && keys.length === 0 && properties.keyFormat !== 'NONE') {
    problems.report(
      'invalid_property',
      explicitKey,
      'a key format is given, but the result has no key columns',
    );
  }
  const keyFormat = derivedFormat({
    written: keys.length === 0 ? 'NONE' : properties.keyFormat,
    delimiter: properties.keyDelimiter,
    inherited: inherited?.key.format === 'NONE' ? null : (inherited?.key ?? null),
    fallback: defaults.keyFormat,
    wrapSingle: false,
  });
  const valueFormat = derivedFormat({
    written: properties.valueFormat,
    delimiter: properties.valueDelimiter,
    inherited: inherited?.value ?? null,
    fallback: defaults.valueFormat ?? 'JSON',
    wrapSingle: properties.wrapSingle ?? defaults.wrapSingle,
  });
  checkFormat('key', keyFormat, keys, problems);
  checkFormat('value', valueFormat, values, problems);
  checkSettings(
    { properties, key: keyFormat.format, value: valueFormat.format, values: values.length },
    problems,
  );
  return {
    topic: properties.topic ?? options.topic,
    partitions: properties.partitions ?? input.source?.partitions ?? input.sink?.partitions ?? 1,
    keyFormat,
    valueFormat,
    timestamp: checkTimestamp(properties, schema.columns, problems, statement.name.span),
    window: options.window,
  };
}

function derivedFormat(options: {
  readonly written: FormatSpec['format'] | null;
  readonly delimiter: string | null;
  readonly inherited: FormatSpec | null;
  readonly fallback: FormatSpec['format'];
  readonly wrapSingle: boolean;
}): FormatSpec {
  const format = options.written ?? options.inherited?.format ?? options.fallback;
  const same = options.inherited?.format === format ? options.inherited.delimiter : null;
  return formatSpec({
    format,
    delimiter: options.delimiter ?? (format === 'DELIMITED' ? same : null),
    wrapSingle: options.wrapSingle,
  });
}
