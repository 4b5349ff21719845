import type { FastifyRequest } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import { parseDate } from '../core/iso-time.ts';
import type { HttpPorts } from './ports.ts';

const DURATION = /^([0-9]{1,9})(ms|s|m)$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const ZONED = /(?:Z|[+-]\d{2}:?\d{2})$/;
/** the last moment that a Date can hold */
const MAX_TIME = 8_640_000_000_000_000;

/** The parameters of one request. Names that the route's schema does not declare are refused or left to the route. */
export class QueryParams {
  /** parameters that the schema does not name, in order; empty unless the route takes them */
  readonly others: readonly (readonly [name: string, value: string])[];
  readonly #known = new Map<string, string[]>();

  constructor(request: FastifyRequest, suggest: HttpPorts['suggest']) {
    const asked = queryText(request);
    const others: (readonly [string, string])[] = [];
    this.others = others;
    if (asked === '') return;
    const { names, open } = declared(request);
    for (const [name, value] of new URLSearchParams(asked)) {
      if (names.includes(name)) {
        const values = this.#known.get(name);
        if (values === undefined) this.#known.set(name, [value]);
        else values.push(value);
      } else if (open) others.push([name, value]);
      else throw unknownParameter(name, names, suggest);
    }
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  /** The text of a parameter; null when it is not given, an error when it is given twice. */
  text(name: string): string | null {
    const values = this.#known.get(name) ?? [];
    if (values.length > 1) throw invalid(`parameter "${name}" is given ${values.length} times`);
    return values[0] ?? null;
  }

  whole(name: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const n = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(n) && n >= min && n <= max) return n;
    const range =
      max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
    throw invalid(`"${name}=${shown(text)}" is not ${range}`);
  }

  /** One of these words. */
  word<W extends string>(name: string, words: readonly W[]): W | null {
    const text = this.text(name);
    if (text === null) return null;
    const found = words.find(w => w === text);
    if (found === undefined) throw invalid(`"${name}=${shown(text)}" is not one of ${words.join(', ')}`);
    return found;
  }

  /** ms of a duration such as `500ms` or `2s`. */
  duration(name: string, max: number): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const [, digits, unit] = DURATION.exec(text) ?? [];
    if (digits === undefined || unit === undefined) {
      throw invalid(`"${name}=${shown(text)}" is not a duration`, 'write it as 500ms, 2s or 1m');
    }
    const ms = Number(digits) * (UNITS[unit] ?? 1);
    if (ms > max) throw invalid(`"${name}=${shown(text)}" is too long`, `at most ${max} ms`);
    return ms;
  }

  /** ms of a moment, written in ISO 8601 (UTC without zone) or as ms since 1970. */
  time(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const ms = momentOf(text);
    if (ms !== null) return ms;
    throw invalid(
      `"${name}=${shown(text)}" is not a time`,
      'write it as 2026-01-31, 2026-01-31T08:30:00Z or in ms since 1970',
    );
  }
}

export function momentOf(text: string): number | null {
  if (/^-?[0-9]{1,16}$/.test(text)) {
    const ms = Number(text);
    return Math.abs(ms) <= MAX_TIME ? ms : null;
  }
  // Date.parse makes March of the 30th of February
  if (!ISO.test(text) || parseDate(text.slice(0, 10)) === null) return null;
  const ms = Date.parse(text.length > 10 && !ZONED.test(text) ? `${text}Z` : text);
  return Number.isFinite(ms) ? ms : null;
}

/** The segments of a path, decoded one by one, so that `%2F` stays inside its segment. */
export function pathSegments(request: FastifyRequest): readonly string[] {
  const path = (request.raw.url ?? '').split('?', 1)[0] ?? '';
  return path
    .split('/')
    .slice(1)
    .map(segment => {
      try {
        return decodeURIComponent(segment);
      } catch {
        throw invalid(`"${shown(segment)}" is not a well-formed part of a path`);
      }
    });
}

export function queryText(request: FastifyRequest): string {
  const url = request.raw.url ?? '';
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at + 1);
}

export function invalid(message: string, hint?: string): MillraceError {
  return new MillraceError('request_invalid', message, { hint });
}

export function unknownParameter(
  name: string,
  known: readonly string[],
  suggest: HttpPorts['suggest'],
): MillraceError {
  const near = suggest(name, known);
  const list = known.length === 0 ? 'this route has no parameters' : `known: ${known.join(', ')}`;
  return invalid(`unknown parameter "${shown(name)}"`, near === null ? list : `did you mean "${near}"?`);
}

function shown(text: string): string {
  return text.slice(0, 80);
}

function declared(request: FastifyRequest): { names: readonly string[]; open: boolean } {
  const schema = request.routeOptions.schema?.querystring as
    | { readonly properties?: object; readonly additionalProperties?: unknown }
    | undefined;
  return {
    names: Object.keys(schema?.properties ?? {}),
    open: Boolean(schema?.additionalProperties),
  };
}
