import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isObject } from '../../decode/json-coercion.ts';
import { readJson } from '../../decode/json-reader.ts';
import { isJsonArray, JsonNumber, type JsonValue } from '../../decode/json-value.ts';

/** One query-validation case; keys and values as exact JSON trees. */
export interface KsqldbCase {
  readonly file: string;
  readonly name: string;
  readonly statements: readonly string[];
  /** session settings; values as text */
  readonly properties: ReadonlyMap<string, string>;
  readonly inputs: readonly CaseRecord[];
  /** null: the case gives none */
  readonly outputs: readonly CaseRecord[] | null;
  /** the statements must be refused; the message is ksqlDB's own */
  readonly refusal: { readonly type: string; readonly message: string } | null;
}

export interface CaseRecord {
  readonly topic: string;
  readonly key: JsonValue;
  readonly value: JsonValue;
  /** null: the case gives none */
  readonly timestamp: number | null;
  readonly window: { readonly start: number; readonly end: number; readonly session: boolean } | null;
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
}

type JsonFields = ReadonlyMap<string, JsonValue>;

/** Reads a file of cases. Throws when it is not such a file. */
export function readKsqldbCases(path: string): KsqldbCase[] {
  const root = fields(readJson(new Uint8Array(readFileSync(path))), path);
  return list(root.get('tests')).map(test => readCase(basename(path), fields(test, path)));
}

function readCase(file: string, test: JsonFields): KsqldbCase {
  const outputs = test.get('outputs');
  const refusal = test.get('expectedException');
  const properties = test.get('properties');
  return {
    file,
    name: text(test.get('name')),
    statements: list(test.get('statements')).map(text),
    properties: new Map(
      properties === undefined
        ? []
        : [...fields(properties, file)].map(([name, value]) => [name, text(value)]),
    ),
    inputs: list(test.get('inputs')).map(readRecord),
    outputs: outputs === undefined ? null : list(outputs).map(readRecord),
    refusal:
      refusal === undefined
        ? null
        : {
            type: text(fields(refusal, file).get('type')),
            message: text(fields(refusal, file).get('message')),
          },
  };
}

function readRecord(value: JsonValue): CaseRecord {
  const record = fields(value, 'record');
  const window = record.get('window');
  const w = window === undefined || window === null ? null : fields(window, 'window');
  return {
    topic: text(record.get('topic')),
    key: record.get('key') ?? null,
    value: record.get('value') ?? null,
    timestamp: record.get('timestamp') === undefined ? null : number(record.get('timestamp')),
    window:
      w === null
        ? null
        : {
            start: number(w.get('start')),
            end: number(w.get('end')),
            session: text(w.get('type')).toLowerCase() === 'session',
          },
    headers: list(record.get('headers')).map(h => {
      const header = fields(h, 'header');
      const bytes = header.get('VALUE') ?? null;
      return { name: text(header.get('KEY')), value: bytes === null ? null : text(bytes) };
    }),
  };
}

function fields(value: JsonValue | undefined, where: string): JsonFields {
  if (value !== undefined && isObject(value)) return value;
  throw new TypeError(`${where}: expected a JSON object`);
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isJsonArray(value) ? value : [];
}

function text(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value;
  return value instanceof JsonNumber ? value.text : String(value ?? '');
}

function number(value: JsonValue | undefined): number {
  return Number(text(value));
}
