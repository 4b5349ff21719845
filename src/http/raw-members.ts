/**
 * The members of a JSON object as the text they were written with, so that nothing in them is read and written again.
 * `text` must be a valid JSON object.
 */
export function rawMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = text.indexOf('{') + 1;
  for (;;) {
    const nameStart = text.indexOf('"', at);
    if (nameStart < 0) return members;
    const nameEnd = stringEnd(text, nameStart);
    const name = JSON.parse(text.slice(nameStart, nameEnd)) as string;
    const start = text.indexOf(':', nameEnd) + 1;
    const end = valueEnd(text, start);
    members.set(name, text.slice(start, end).trim());
    if (text[end] === '}') return members;
    at = end + 1;
  }
}

/** Behind the closing quote of the string that starts at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** At the comma or brace that follows the value. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  let at = start;
  for (;;) {
    const c = text[at];
    if (c === '"') {
      at = stringEnd(text, at);
      continue;
    }
    if (depth === 0 && (c === ',' || c === '}')) return at;
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    at++;
  }
}
