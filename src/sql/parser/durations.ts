import type { Span } from '../../core/span.ts';
import type { WindowClause, WithinClause } from '../ast.ts';
import { timeUnit, unitMilliseconds } from './keywords.ts';
import type { TokenReader } from './token-reader.ts';
import { identifierOf } from './token-reader.ts';

const UNITS = 'units: MILLISECONDS, SECONDS, MINUTES, HOURS, DAYS, WEEKS';

/** `30 SECONDS` in ms. */
export function parseDuration(r: TokenReader): number {
  const number = r.peek();
  if (number.kind !== 'number') return r.failExpected('a duration like 5 MINUTES');
  r.next();
  const token = r.peek();
  const unit = timeUnit(token.upper);
  if (unit === null) return r.failExpected('a unit of time', UNITS);
  const ms = unitMilliseconds(unit);
  if (ms === null) return r.fail(`the length of a ${unit} varies`, token, UNITS);
  r.next();
  const duration = Number(number.value) * ms;
  if (!Number.isSafeInteger(duration)) {
    return r.fail(`${number.value} ${token.upper} is no whole number of milliseconds, or too long`, number);
  }
  return duration;
}

/** `GRACE PERIOD 1 HOUR`, or null when it is not written. */
function parseGrace(r: TokenReader): number | null {
  if (!r.accept('GRACE')) return null;
  r.expect('PERIOD');
  return parseDuration(r);
}

/** `WINDOW [name] TUMBLING (SIZE 1 HOUR [, RETENTION ..] [, GRACE PERIOD ..])` */
export function parseWindow(r: TokenReader): WindowClause {
  const start = r.expect('WINDOW');
  const named = r.isIdentifier() && r.isIdentifier(1) && r.peek(1).upper !== '(';
  const name = named ? identifierOf(r.next()) : null;
  if (!r.is('TUMBLING', 'HOPPING', 'SESSION')) return r.failExpected('TUMBLING, HOPPING or SESSION');
  const word = r.next().upper;
  const type = word === 'TUMBLING' ? 'tumbling' : word === 'HOPPING' ? 'hopping' : 'session';
  const before = r.errors.length;
  const parts = r.enclosed('(', ')', () => parseWindowParts(r, type));
  const span = r.spanFrom(start);
  if (r.errors.length === before) checkParts(r, type, parts, span);
  const { advance, grace, retention } = parts;
  return { name, type, size: parts.size ?? 0, advance, grace, retention, span };
}

function checkParts(r: TokenReader, type: WindowClause['type'], parts: WindowParts, span: Span): void {
  const word = type.toUpperCase();
  if (parts.size === null) r.note(`a ${word} window needs its ${type === 'session' ? 'gap' : 'SIZE'}`, span);
  if (type === 'hopping' && parts.advance === null) {
    r.note('a HOPPING window needs ADVANCE BY', span, 'HOPPING (SIZE 1 HOUR, ADVANCE BY 10 MINUTES)');
  }
  if (type !== 'hopping' && parts.advance !== null) {
    r.note(`a ${word} window has no ADVANCE BY`, span, 'only HOPPING windows advance: write HOPPING');
  }
}

interface WindowParts {
  size: number | null;
  advance: number | null;
  grace: number | null;
  retention: number | null;
}

function parseWindowParts(r: TokenReader, type: WindowClause['type']): WindowParts {
  const parts: WindowParts = { size: null, advance: null, grace: null, retention: null };
  const set = (part: keyof WindowParts, value: number, at: number): void => {
    if (parts[part] !== null) r.note('written twice in one WINDOW', r.tokens[at] ?? r.peek());
    parts[part] = value;
  };
  r.list(
    () => {
      const at = r.at;
      if (type === 'session' && r.peek().kind === 'number') set('size', parseDuration(r), at);
      else if (r.accept('SIZE')) set('size', parseDuration(r), at);
      else if (r.accept('ADVANCE')) {
        r.expect('BY');
        set('advance', parseDuration(r), at);
      } else if (r.accept('RETENTION')) set('retention', parseDuration(r), at);
      else if (r.is('GRACE')) set('grace', parseGrace(r) ?? 0, at);
      else if (type === 'session') r.failExpected('a gap like 5 MINUTES, RETENTION or GRACE PERIOD');
      else {
        const hint = r.peek().kind === 'number' ? `${type.toUpperCase()} (SIZE 5 MINUTES)` : undefined;
        r.failExpected(`SIZE, ${type === 'hopping' ? 'ADVANCE BY, ' : ''}RETENTION or GRACE PERIOD`, hint);
      }
    },
    () => r.is(')'),
  );
  return parts;
}

/** `WITHIN 1 HOUR` or `WITHIN (1 HOUR, 2 HOURS)`, each with an optional GRACE PERIOD. */
export function parseWithin(r: TokenReader): WithinClause {
  const start = r.expect('WITHIN');
  let before: number;
  let after: number;
  if (r.is('(')) {
    [before, after] = r.enclosed('(', ')', () => {
      const first = parseDuration(r);
      return [first, r.accept(',') ? parseDuration(r) : first];
    });
  } else {
    before = parseDuration(r);
    after = before;
  }
  const grace = parseGrace(r);
  return { before, after, grace, span: r.spanFrom(start) };
}
