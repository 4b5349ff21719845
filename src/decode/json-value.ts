/**
 * A JSON value as read from bytes. A number stays the text that stood there, so that nothing is rounded; an object is
 * a Map in the order of the text (the last of equal names wins).
 */
export type JsonValue =
  | null
  | boolean
  | string
  | JsonNumber
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>;

export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function isJsonArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** The value as compact JSON text, numbers as they were written. */
export function jsonText(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof JsonNumber) return value.text;
  if (isJsonArray(value)) return `[${value.map(jsonText).join(',')}]`;
  return `{${[...value].map(([name, v]) => `${JSON.stringify(name)}:${jsonText(v)}`).join(',')}}`;
}

/** What the value is called in an error. */
export function jsonKind(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'a boolean';
  if (typeof value === 'string') return 'a string';
  if (value instanceof JsonNumber) return 'a number';
  return isJsonArray(value) ? 'an array' : 'an object';
}
