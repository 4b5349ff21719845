import type { Span } from '../../core/span.ts';
import type { FormatName, FormatSpec } from '../../plan/plan.ts';
import type { Expression, Property } from '../ast.ts';
import { closest } from '../suggest.ts';
import { durationOf } from './duration.ts';
import type { Problems } from './problems.ts';

/** The WITH clause of a declaration or of CREATE ... AS: known names, typed values, null where nothing is written. */
export interface WithProperties {
  readonly topic: string | null;
  readonly keyFormat: FormatName | null;
  readonly valueFormat: FormatName | null;
  readonly keyDelimiter: string | null;
  readonly valueDelimiter: string | null;
  readonly wrapSingle: boolean | null;
  readonly partitions: number | null;
  readonly timestamp: string | null;
  readonly timestampFormat: string | null;
  readonly windowType: 'tumbling' | 'hopping' | 'session' | null;
  readonly windowSize: number | null;
  readonly retention: number | null;
  /** where a property stands, by upper-case name */
  readonly spans: ReadonlyMap<string, Span>;
}

const SOURCE_ONLY = ['WINDOW_TYPE', 'WINDOW_SIZE', 'SOURCED_BY_CONNECTOR'];
const COMMON = [
  'KAFKA_TOPIC',
  'KEY_FORMAT',
  'VALUE_FORMAT',
  'FORMAT',
  'PARTITIONS',
  'REPLICAS',
  'TIMESTAMP',
  'TIMESTAMP_FORMAT',
  'KEY_DELIMITER',
  'VALUE_DELIMITER',
  'WRAP_SINGLE_VALUE',
  'RETENTION_MS',
  'CLEANUP_POLICY',
  'KEY_SCHEMA_ID',
  'VALUE_SCHEMA_ID',
  'KEY_SCHEMA_FULL_NAME',
  'VALUE_SCHEMA_FULL_NAME',
  'VALUE_AVRO_SCHEMA_FULL_NAME',
];
const REGISTRY_FORMATS = new Set(['AVRO', 'PROTOBUF', 'PROTOBUF_NOSR', 'JSON_SR']);
const FORMATS = ['JSON', 'DELIMITED', 'KAFKA', 'NONE'] as const;

export function readProperties(
  properties: readonly Property[],
  kind: 'source' | 'query',
  problems: Problems,
): WithProperties {
  const reader = new PropertyReader(properties, kind, problems);
  const both = reader.format('FORMAT');
  for (const name of ['KEY_FORMAT', 'VALUE_FORMAT']) {
    const span = reader.spans.get(name);
    if (span && reader.has('FORMAT')) {
      problems.report(
        'invalid_property',
        span,
        `FORMAT and ${name} cannot both be given`,
        'FORMAT is both: leave it out, and write KEY_FORMAT and VALUE_FORMAT',
      );
    }
  }
  for (const name of ['KEY_SCHEMA_ID', 'VALUE_SCHEMA_ID', 'KEY_SCHEMA_FULL_NAME', 'VALUE_SCHEMA_FULL_NAME']) {
    const span = reader.spans.get(name);
    if (span) problems.report('not_supported', span, `${name}: schema registries are not supported`);
  }
  reader.positiveInteger('REPLICAS', -1);
  reader.text('CLEANUP_POLICY');
  return {
    topic: reader.text('KAFKA_TOPIC'),
    keyFormat: reader.format('KEY_FORMAT') ?? both,
    valueFormat: reader.format('VALUE_FORMAT') ?? both,
    keyDelimiter: reader.delimiter('KEY_DELIMITER'),
    valueDelimiter: reader.delimiter('VALUE_DELIMITER'),
    wrapSingle: reader.boolean('WRAP_SINGLE_VALUE'),
    partitions: reader.positiveInteger('PARTITIONS', 1),
    timestamp: reader.text('TIMESTAMP'),
    timestampFormat: reader.text('TIMESTAMP_FORMAT'),
    windowType: reader.windowType(),
    windowSize: reader.duration('WINDOW_SIZE'),
    retention: reader.positiveInteger('RETENTION_MS', -1),
    spans: reader.spans,
  };
}

class PropertyReader {
  readonly spans = new Map<string, Span>();
  readonly #values = new Map<string, Expression>();
  readonly #problems: Problems;

  constructor(properties: readonly Property[], kind: 'source' | 'query', problems: Problems) {
    this.#problems = problems;
    const known = kind === 'source' ? [...COMMON, ...SOURCE_ONLY] : COMMON;
    for (const property of properties) {
      const name = property.name.name.toUpperCase();
      const span = property.name.span;
      if (!known.includes(name)) {
        const near = closest(name, known);
        const misplaced = SOURCE_ONLY.includes(name);
        problems.report(
          'invalid_property',
          span,
          misplaced
            ? `property ${name} is for declarations; a query's window decides it here`
            : `unknown property "${property.name.name}"`,
          misplaced
            ? `leave ${name} out`
            : near === null
              ? `known are ${known.join(', ')}`
              : `did you mean ${near}?`,
        );
      } else if (this.#values.has(name)) {
        problems.report('invalid_property', span, `property ${name} is given twice`, 'leave one of them out');
      } else {
        this.#values.set(name, property.value);
        this.spans.set(name, property.value.span);
      }
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  #bad(name: string, value: Expression, expected: string, hint?: string): null {
    this.#problems.report('invalid_property', value.span, `${name} must be ${expected}`, hint);
    return null;
  }

  text(name: string): string | null {
    const value = this.#values.get(name);
    if (!value) return null;
    if (value.kind === 'string') {
      return value.value === '' ? this.#bad(name, value, 'a string that is not empty') : value.value;
    }
    // TIMESTAMP = ts: a bare name is its own text
    if (value.kind === 'column' && value.qualifier === null && name === 'TIMESTAMP') return value.name.name;
    return this.#bad(name, value, 'a string');
  }

  boolean(name: string): boolean | null {
    const value = this.#values.get(name);
    if (!value) return null;
    if (value.kind === 'boolean') return value.value;
    if (value.kind === 'string' && /^(true|false)$/i.test(value.value)) {
      return value.value.toLowerCase() === 'true';
    }
    return this.#bad(name, value, 'true or false');
  }

  positiveInteger(name: string, least: number): number | null {
    const value = this.#values.get(name);
    if (!value) return null;
    const number = integerOf(value);
    if (number === null || number < least)
      return this.#bad(
        name,
        value,
        `a whole number of at least ${least}`,
        `write ${name} = ${least}, or more`,
      );
    return number;
  }

  format(name: string): FormatName | null {
    const value = this.#values.get(name);
    if (!value) return null;
    const text = value.kind === 'string' ? value.value : value.kind === 'column' ? value.name.name : null;
    const upper = text?.toUpperCase() ?? '';
    const format = FORMATS.find(f => f === upper);
    if (format) return format;
    if (REGISTRY_FORMATS.has(upper)) {
      this.#problems.report(
        'not_supported',
        value.span,
        `format ${upper} needs a schema registry and is not supported by this version`,
        `write JSON, DELIMITED or KAFKA, as the records are; records in ${upper} must be converted before`,
      );
      return null;
    }
    const near = closest(upper, FORMATS);
    return this.#bad(
      name,
      value,
      `one of ${FORMATS.join(', ')}`,
      near === null ? undefined : `did you mean '${near}'?`,
    );
  }

  delimiter(name: string): string | null {
    const text = this.text(name);
    const value = this.#values.get(name);
    if (text === null || !value) return null;
    if (text.toUpperCase() === 'SPACE') return ' ';
    if (text.toUpperCase() === 'TAB') return '\t';
    if (text.trim() === '') {
      return this.#bad(name, value, 'a visible character', "write 'TAB' or 'SPACE' for a tab or a space");
    }
    return text.length === 1 ? text : this.#bad(name, value, "one character, 'TAB' or 'SPACE'");
  }

  duration(name: string): number | null {
    const value = this.#values.get(name);
    if (!value) return null;
    const ms = durationOf(value);
    return ms !== null && ms > 0 ? ms : this.#bad(name, value, "a duration like '30 SECONDS'");
  }

  windowType(): WithProperties['windowType'] {
    const value = this.#values.get('WINDOW_TYPE');
    if (!value) return null;
    const text = value.kind === 'string' ? value.value.toLowerCase() : '';
    if (text === 'tumbling' || text === 'hopping' || text === 'session') return text;
    return this.#bad('WINDOW_TYPE', value, 'one of TUMBLING, HOPPING, SESSION');
  }
}

function integerOf(value: Expression): number | null {
  if (value.kind === 'unary' && value.op === '-') {
    const inner = integerOf(value.arg);
    return inner === null ? null : -inner;
  }
  const text = value.kind === 'number' ? value.text : value.kind === 'string' ? value.value : '';
  const number = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : null;
}

/** A format with its settings, where DELIMITED is the only one with a delimiter. */
export function formatSpec(options: {
  readonly format: FormatName;
  readonly delimiter: string | null;
  readonly wrapSingle: boolean;
}): FormatSpec {
  return Object.freeze({
    format: options.format,
    delimiter: options.delimiter ?? ',',
    wrapSingle: options.wrapSingle,
  });
}
