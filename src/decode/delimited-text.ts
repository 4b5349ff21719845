import { fail } from './decode-error.ts';

/**
 * Splits the first line of a delimited text: fields may stand in double quotes, with doubled quotes inside; quoted fields
 * may hold delimiters and line breaks. The field's text is what stands there, blanks included.
 */
export function splitDelimited(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  let at = skipEmptyLines(text);
  if (at >= text.length) return fail('no fields in the record');
  for (;;) {
    if (text[at] === '"') {
      const field = quoted(text, at);
      fields.push(field.text);
      at = skipBlanks(text, field.end, delimiter);
      if (at < text.length && text[at] !== delimiter && !isBreak(text[at])) {
        return fail(`unexpected text after a quoted field at character ${at}`);
      }
    } else {
      const start = at;
      while (at < text.length && text[at] !== delimiter && !isBreak(text[at])) at++;
      fields.push(text.slice(start, at));
    }
    if (text[at] !== delimiter) return fields;
    at++;
  }
}

function quoted(text: string, start: number): { readonly text: string; readonly end: number } {
  let out = '';
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return fail(`quoted field without end at character ${start}`);
    out += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { text: out, end: quote + 1 };
    out += '"';
    from = quote + 2;
  }
}

function skipEmptyLines(text: string): number {
  let at = 0;
  while (isBreak(text[at])) at++;
  return at;
}

function skipBlanks(text: string, from: number, delimiter: string): number {
  let at = from;
  while ((text[at] === ' ' || text[at] === '\t') && text[at] !== delimiter) at++;
  return at;
}

function isBreak(char: string | undefined): boolean {
  return char === '\n' || char === '\r';
}

/**
 * Joins fields to one line; null is nothing between delimiters. Quotes stand only where a reader needs them, or where
 * ksqlDB's writer puts them: around a first field that is empty or does not begin with a letter or digit.
 */
export function joinDelimited(fields: readonly (string | null)[], delimiter: string): string {
  return fields
    .map((field, i) =>
      field !== null && needsQuotes(field, i === 0, delimiter) ? quote(field) : (field ?? ''),
    )
    .join(delimiter);
}

function needsQuotes(field: string, first: boolean, delimiter: string): boolean {
  if (field === '') return first;
  if (first && !/^[0-9A-Za-z]/.test(field)) return true;
  if (field.charCodeAt(0) <= 0x23 || field.charCodeAt(field.length - 1) <= 0x20) return true;
  return field.includes('"') || field.includes(delimiter) || /[\r\n]/.test(field);
}

function quote(field: string): string {
  return `"${field.replaceAll('"', '""')}"`;
}
