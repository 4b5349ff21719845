import { daysInMonth } from '../core/calendar.ts';
import { isJsonObject, type Json, JsonNumber, type JsonObject } from '../core/json.ts';

/** A fault in a field of a command. */
export interface FieldError {
  /** as `line_items[2].unit_price`; empty for the whole */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export interface TextRule {
  readonly min?: number | undefined;
  readonly max: number;
  /** whether it may have several lines; names and the like may not: they go into headers of mails */
  readonly multiline?: boolean | undefined;
  readonly pattern?: { readonly regExp: RegExp; readonly says: string } | undefined;
}

const DECIMAL = /^-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,20})?$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
// Control characters have no place in a text, and lone surrogates are none.
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

/**
 * Reads the members of a JSON object into a data transfer object. It goes on after a fault, so that all faults are told
 * at once; what it then returns stands in for the value and must not be used. Call {@link end} after the last member.
 */
export class DtoReader {
  readonly errors: FieldError[];
  readonly #members: JsonObject;
  readonly #path: string;
  readonly #read = new Set<string>();

  constructor(members: JsonObject, path = '', errors: FieldError[] = []) {
    this.#members = members;
    this.#path = path;
    this.errors = errors;
  }

  /** A text without the spaces around it. */
  text(name: string, rule: TextRule): string {
    const value = this.#required(name);
    return value === undefined ? '' : this.#text(name, value, rule);
  }

  optionalText(name: string, rule: TextRule): string | null {
    const value = this.#member(name);
    return value === null ? null : this.#text(name, value, rule);
  }

  /** The text of a decimal number, given as a JSON number or as a string of digits; never through a float. */
  decimal(name: string): string {
    const value = this.#required(name);
    if (value === undefined) return '0';
    const text = value instanceof JsonNumber ? value.text : value;
    if (typeof text !== 'string' || !DECIMAL.test(text)) {
      return this.fail(name, 'not_a_decimal', 'is not a decimal number such as 12.50 or "12.50"', '0');
    }
    return text;
  }

  optionalDecimal(name: string, otherwise: string): string {
    return this.#member(name) === null ? otherwise : this.decimal(name);
  }

  /** A day, as YYYY-MM-DD. */
  date(name: string): string {
    const value = this.#required(name);
    return value === undefined ? '' : this.#date(name, value);
  }

  optionalDate(name: string): string | null {
    const value = this.#member(name);
    return value === null ? null : this.#date(name, value);
  }

  /** Each element must be an object; `read` reads one. A missing list is empty. */
  list<T>(name: string, max: number, read: (item: DtoReader) => T): T[] {
    const value = this.#member(name);
    if (value === null) return [];
    if (!Array.isArray(value)) return this.fail(name, 'not_a_list', 'is not a list', []);
    if (value.length > max)
      return this.fail(name, 'too_many', `has ${value.length} elements, at most ${max} are allowed`, []);
    return (value as readonly Json[]).flatMap((item, i) => {
      if (!isJsonObject(item)) return this.fail(`${name}[${i}]`, 'not_an_object', 'is not an object', []);
      const reader = new DtoReader(item, `${this.#path}${name}[${i}].`, this.errors);
      const result = read(reader);
      reader.end();
      return [result];
    });
  }

  /** Refuses members that nothing has read: a misspelt name must not pass in silence. */
  end(): void {
    for (const name of this.#members.keys()) {
      if (!this.#read.has(name)) {
        const known = [...this.#read].join(', ');
        this.fail(name.slice(0, 60), 'unknown_field', `is not known here; known: ${known || 'none'}`, null);
      }
    }
  }

  fail<T>(name: string, code: string, says: string, standIn: T): T {
    const path = `${this.#path}${name}`;
    this.errors.push({ path, code, message: `${path} ${says}` });
    return standIn;
  }

  #member(name: string): Json {
    this.#read.add(name);
    return this.#members.get(name) ?? null;
  }

  #required(name: string): Exclude<Json, null> | undefined {
    const value = this.#member(name);
    return value === null ? this.fail(name, 'missing', 'is missing', undefined) : value;
  }

  #text(name: string, value: Json, rule: TextRule): string {
    if (typeof value !== 'string') return this.fail(name, 'not_a_text', 'is not a text', '');
    const text = value.trim();
    if (text.length < (rule.min ?? 1)) return this.fail(name, 'too_short', 'is empty or too short', '');
    if (text.length > rule.max)
      return this.fail(
        name,
        'too_long',
        `has ${text.length} characters, at most ${rule.max} are allowed`,
        '',
      );
    if (UNPRINTABLE.test(rule.multiline ? text.replaceAll('\n', '') : text))
      return this.fail(name, 'unprintable', 'holds control characters', '');
    if (rule.pattern && !rule.pattern.regExp.test(text))
      return this.fail(name, 'malformed', rule.pattern.says, '');
    return text;
  }

  #date(name: string, value: Json): string {
    if (typeof value === 'string' && isDate(value)) return value;
    return this.fail(name, 'not_a_date', 'is not a day such as 2026-03-31', '');
  }
}

function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year === undefined || year < '1900') return false;
  const m = Number(month);
  return m >= 1 && m <= 12 && day !== '00' && Number(day) <= daysInMonth(Number(year), m);
}
