import { MillraceError } from './errors.ts';

/**
 * Patterns of Java's DateTimeFormatter (`yyyy-MM-dd'T'HH:mm:ss.SSSX`), which ksqlDB users write, compiled once.
 * Texts are English, weeks begin on Sunday as in Java's default locale. Printing is in `date-time-format.ts`, reading
 * in `date-time-parse.ts`.
 */
export type PatternItem =
  | { readonly item: 'literal'; readonly text: string }
  | {
      readonly item: 'number';
      readonly field: NumberField;
      readonly min: number;
      readonly max: number;
      readonly sign: 'none' | 'normal' | 'exceeds';
      /** digits that adjacent fixed-width numbers after this one will need */
      readonly reserve: number;
    }
  /** two-digit year, 2000 to 2099 */
  | { readonly item: 'reducedYear'; readonly field: NumberField; readonly reserve: number }
  /** `SSS`: the first digits of the second's fraction */
  | { readonly item: 'fraction'; readonly digits: number }
  | { readonly item: 'text'; readonly field: TextField; readonly style: TextStyle }
  | {
      readonly item: 'offset';
      /** which digits: hours, optional minutes, minutes, optional seconds, ... */
      readonly shape: 'Hm' | 'HM' | 'H:M' | 'HMs' | 'H:M:s';
      readonly zero: string;
    }
  | { readonly item: 'localizedOffset'; readonly long: boolean }
  | { readonly item: 'zone'; readonly style: 'id' | 'short' | 'long' }
  | { readonly item: 'optional'; readonly items: readonly PatternItem[] }
  | { readonly item: 'pad'; readonly width: number; readonly inner: PatternItem };

export type NumberField =
  | 'year'
  | 'yearOfEra'
  | 'weekYear'
  | 'quarter'
  | 'month'
  | 'week'
  | 'weekOfMonth'
  | 'day'
  | 'dayOfYear'
  | 'localDayOfWeek'
  | 'weekdayOfMonth'
  | 'hour'
  | 'hour24'
  | 'hour12'
  | 'hour11'
  | 'minute'
  | 'second'
  | 'milliOfDay'
  | 'nano'
  | 'nanoOfDay';

export type TextField = 'era' | 'quarter' | 'month' | 'dayOfWeek' | 'amPm';
export type TextStyle = 'short' | 'full' | 'narrow';

export interface DateTimePattern {
  readonly text: string;
  readonly items: readonly PatternItem[];
}

const compiled = new Map<string, DateTimePattern | MillraceError>();
const MAX_COMPILED = 1000;
const MAX_LENGTH = 1000;

/** The compiled pattern. Throws `invalid_argument` when the text is none. */
export function dateTimePattern(text: string): DateTimePattern {
  const pattern = compiled.get(text) ?? remember(text);
  if (pattern instanceof MillraceError) throw pattern;
  return pattern;
}

function remember(text: string): DateTimePattern | MillraceError {
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  const pattern = compile(text);
  compiled.set(text, pattern);
  return pattern;
}

function compile(text: string): DateTimePattern | MillraceError {
  try {
    if (text.length > MAX_LENGTH) throw wrong(text.slice(0, 40), 'it is too long');
    return Object.freeze({ text, items: Object.freeze(reserved(new PatternReader(text).read())) });
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
}

function wrong(text: string, problem: string): MillraceError {
  return new MillraceError('invalid_argument', `"${text}" is not a date and time pattern: ${problem}`, {
    hint: "letters as in yyyy-MM-dd'T'HH:mm:ss.SSSX; other text in single quotes",
  });
}

class PatternReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): PatternItem[] {
    const items = this.#items(0);
    if (this.#at < this.#text.length) throw wrong(this.#text, '"]" without "["');
    return items;
  }

  #items(depth: number): PatternItem[] {
    const items: PatternItem[] = [];
    while (this.#at < this.#text.length && this.#text[this.#at] !== ']') items.push(this.#item(depth));
    return items;
  }

  #item(depth: number): PatternItem {
    const c = this.#text[this.#at] ?? '';
    if (/[A-Za-z]/.test(c)) return this.#letters();
    if (c === "'") return { item: 'literal', text: this.#quoted() };
    if (c === '[') {
      if (depth > 20) throw wrong(this.#text, 'optional parts are nested too deeply');
      this.#at++;
      const items = this.#items(depth + 1);
      if (this.#text[this.#at] === ']') this.#at++;
      return { item: 'optional', items: reserved(items) };
    }
    if (c === '{' || c === '}' || c === '#') throw wrong(this.#text, `"${c}" is reserved`);
    this.#at++;
    return { item: 'literal', text: c };
  }

  #quoted(): string {
    let result = '';
    for (let i = this.#at + 1; i < this.#text.length; i++) {
      const c = this.#text[i] ?? '';
      if (c !== "'") result += c;
      else if (this.#text[i + 1] === "'") {
        result += c;
        i++;
      } else {
        this.#at = i + 1;
        return result === '' ? "'" : result;
      }
    }
    throw wrong(this.#text, 'a quote does not end');
  }

  #letters(): PatternItem {
    const letter = this.#text[this.#at] ?? '';
    let count = 1;
    while (this.#text[this.#at + count] === letter) count++;
    this.#at += count;
    if (letter === 'p') {
      const next = this.#text[this.#at] ?? '';
      if (!/[A-Za-oq-z]/.test(next)) throw wrong(this.#text, 'pad letter "p" must be followed by a field');
      return { item: 'pad', width: count, inner: this.#letters() };
    }
    const item = letterItem(letter, count);
    if (!item) throw wrong(this.#text, `"${letter.repeat(count)}" has no meaning`);
    return item;
  }
}

function number(
  field: NumberField,
  min: number,
  max = min,
  sign: 'none' | 'normal' | 'exceeds' = min === max ? 'none' : 'normal',
): PatternItem {
  return { item: 'number', field, min, max, sign, reserve: 0 };
}

function year(field: NumberField, count: number): PatternItem {
  if (count === 2) return { item: 'reducedYear', field, reserve: 0 };
  return number(field, count, 19, count < 4 ? 'normal' : 'exceeds');
}

const STYLES: Readonly<Record<number, TextStyle>> = { 3: 'short', 4: 'full', 5: 'narrow' };

function text(field: TextField, count: number): PatternItem | null {
  const style = STYLES[Math.max(count, 3)];
  return style ? { item: 'text', field, style } : null;
}

/** A field that is a number when written once or twice, and a text from three letters on. */
function numberOrText(field: NumberField, textField: TextField, count: number): PatternItem | null {
  return count <= 2 ? oneOrTwo(field, count) : text(textField, count);
}

function oneOrTwo(field: NumberField, count: number): PatternItem | null {
  if (count === 1) return number(field, 1, 19);
  return count === 2 ? number(field, 2) : null;
}

/** The item of a run of equal letters, or null. Mirrors the table in the documentation of DateTimeFormatter. */
function letterItem(letter: string, count: number): PatternItem | null {
  if (count > 19) return null;
  switch (letter) {
    case 'G':
      return text('era', count);
    case 'u':
      return year('year', count);
    case 'y':
      return year('yearOfEra', count);
    case 'Y':
      return year('weekYear', count);
    case 'Q':
    case 'q':
      return numberOrText('quarter', 'quarter', count);
    case 'M':
    case 'L':
      return numberOrText('month', 'month', count);
    case 'w':
      return oneOrTwo('week', count);
    case 'W':
      return count === 1 ? number('weekOfMonth', 1) : null;
    case 'd':
      return oneOrTwo('day', count);
    case 'D':
      return count <= 3 ? number('dayOfYear', count, 3, 'none') : null;
    case 'F':
      return count === 1 ? number('weekdayOfMonth', 1) : null;
    case 'E':
      return text('dayOfWeek', count);
    case 'e':
    case 'c':
      return numberOrText('localDayOfWeek', 'dayOfWeek', count);
    case 'a':
      return count === 1 ? text('amPm', 3) : null;
    default:
      return timeItem(letter, count);
  }
}

const TIME_FIELDS: Readonly<Record<string, NumberField>> = {
  H: 'hour',
  k: 'hour24',
  h: 'hour12',
  K: 'hour11',
  m: 'minute',
  s: 'second',
};

function timeItem(letter: string, count: number): PatternItem | null {
  const field = TIME_FIELDS[letter];
  if (field) return oneOrTwo(field, count);
  switch (letter) {
    case 'S':
      return count <= 9 ? { item: 'fraction', digits: count } : null;
    case 'A':
      return number('milliOfDay', count, 19, 'none');
    case 'n':
      return number('nano', count, 19, 'none');
    case 'N':
      return number('nanoOfDay', count, 19, 'none');
    default:
      return zoneItem(letter, count);
  }
}

const SHAPES = ['Hm', 'HM', 'H:M', 'HMs', 'H:M:s'] as const;

function zoneItem(letter: string, count: number): PatternItem | null {
  switch (letter) {
    case 'V':
      return count === 2 ? { item: 'zone', style: 'id' } : null;
    case 'z':
      return count <= 4 ? { item: 'zone', style: count === 4 ? 'long' : 'short' } : null;
    case 'O':
      return count === 1 || count === 4 ? { item: 'localizedOffset', long: count === 4 } : null;
    case 'X':
    case 'x': {
      const shape = SHAPES[count - 1];
      if (!shape) return null;
      const zero = letter === 'X' ? 'Z' : shape === 'Hm' ? '+00' : shape.includes(':') ? '+00:00' : '+0000';
      return { item: 'offset', shape, zero };
    }
    case 'Z':
      if (count <= 3) return { item: 'offset', shape: 'HM', zero: '+0000' };
      if (count === 4) return { item: 'localizedOffset', long: true };
      return count === 5 ? { item: 'offset', shape: 'H:M:s', zero: 'Z' } : null;
    default:
      return null;
  }
}

/** Lets a number of open width leave the digits that the fixed-width numbers right behind it need (`yyyyMMdd`). */
function reserved(items: PatternItem[]): PatternItem[] {
  let following = 0;
  for (let i = items.length - 1; i >= 0; i--) {
    const item = items[i];
    if (!item) continue;
    if (item.item === 'fraction') following += item.digits;
    else if (item.item === 'number' && item.min === item.max) following += item.max;
    else if (item.item === 'reducedYear') following += 2;
    else {
      if (item.item === 'number') items[i] = { ...item, reserve: following };
      following = 0;
    }
  }
  return items;
}
