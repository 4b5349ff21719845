/**
 * SQL LIKE: `%` is any text, `_` one character (code point), the escape character makes the next one stand for itself.
 * Time is bounded by the product of both lengths, whatever the pattern.
 */
export function compileLike(pattern: string, escapeChar: string | null): (text: string) => boolean {
  const parts = readPattern(pattern, escapeChar);
  if (!parts.some(p => p.wild !== null)) {
    const literal = parts.map(p => p.char).join('');
    return text => text === literal;
  }
  const inner = parts.filter(p => p.wild !== '%');
  if (inner.every(p => p.wild === null)) {
    const first = parts.findIndex(p => p.wild === '%');
    const last = parts.findLastIndex(p => p.wild === '%');
    if (inner.length === parts.length - (last - first + 1)) {
      // one run of % with literal text around it
      const head = inner
        .slice(0, first)
        .map(p => p.char)
        .join('');
      const tail = inner
        .slice(first)
        .map(p => p.char)
        .join('');
      return text => text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
    }
  }
  return text => matches(Array.from(text), parts);
}

interface Part {
  readonly char: string;
  readonly wild: '%' | '_' | null;
}

function readPattern(pattern: string, escapeChar: string | null): readonly Part[] {
  const parts: Part[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? '';
    const next = chars[i + 1];
    if (char === escapeChar && next !== undefined) {
      parts.push({ char: next, wild: null });
      i++;
    } else {
      parts.push({ char, wild: char === '%' || char === '_' ? char : null });
    }
  }
  return parts;
}

/** The usual two-pointer match: on a mismatch the last % takes one character more. */
function matches(text: readonly string[], parts: readonly Part[]): boolean {
  let at = 0;
  let part = 0;
  let star = -1;
  let starAt = 0;
  while (at < text.length) {
    const p = parts[part];
    if (p?.wild === '%') {
      star = part++;
      starAt = at;
    } else if (p && (p.wild === '_' || p.char === text[at])) {
      part++;
      at++;
    } else if (star >= 0) {
      part = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (parts[part]?.wild === '%') part++;
  return part === parts.length;
}
