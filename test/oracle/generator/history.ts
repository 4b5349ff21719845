import type { OracleRecord, Tick } from '../oracle-case.ts';
import type { Random } from './random.ts';
import { COLUMNS, type Type } from './types.ts';

/** The evening before the clocks of Europe go forward. */
export const BEGIN = Date.UTC(2026, 2, 28, 20);
const HOUR = 3_600_000;
const KEYS = ['a', 'b', 'c', 'd', 'é', ''];
const MANY_KEYS = Array.from({ length: 150 }, (_, i) => `key ${i}`);

/**
 * Records of the stream and of the table, in order of their append: NULLs, keys that come again, tombstones, event times
 * that go back and forth, bytes that are no JSON, cells of a wrong type, ticks of the clock.
 */
export function randomHistory(random: Random): readonly (OracleRecord | Tick)[] {
  let at = BEGIN;
  let time = 0;
  const long = random.chance(0.05);
  const keys = long ? MANY_KEYS : KEYS;
  return Array.from({ length: long ? random.int(100, 400) : random.int(3, 40) }, (): OracleRecord | Tick => {
    at = later(random, at);
    if (random.chance(0.1)) return { tick: at };
    // often just where windows end
    const exact = random.chance(0.7);
    const next = exact
      ? Math.floor(time / 1_000 + random.int(-3, 4)) * 1_000
      : time + random.int(-6_000, 9_000);
    time = Math.max(0, next);
    const topic = random.of(['s', 't'] as const);
    const key = random.chance(0.06) ? null : random.of(keys);
    const record = { topic, at, time, key };
    const none = COLUMNS.map(() => null);
    // of the stream: a row of NULLs
    if (random.chance(topic === 't' ? 0.15 : 0.05)) {
      return {
        ...record,
        value: null,
        cells: none,
        ...(topic === 't' && key === null ? { wrong: '*' } : {}),
      };
    }
    if (random.chance(0.05)) return { ...record, value: random.of(BROKEN), cells: none, wrong: '*' };
    const cells = COLUMNS.map(c => (random.chance(0.2) ? null : randomCell(random, c.type)));
    const wrong = random.chance(0.06) ? random.of(COLUMNS.filter(c => c.type !== 'STRING')).name : undefined;
    const value = jsonOf(random, cells, wrong);
    if (topic === 't' && key === null) return { ...record, value, cells, wrong: '*' };
    return { ...record, value, cells, ...(wrong === undefined ? {} : { wrong }) };
  });
}

/** Often on the hour or the half, where cells of the rows are and where a day begins, and one millisecond around it. */
function later(random: Random, at: number): number {
  if (random.chance(0.5)) return at + random.int(0, 60_000);
  const ahead = at + (random.chance(0.7) ? random.int(0, 4) : 9) * HOUR;
  const half = Math.ceil(ahead / (HOUR / 2)) * (HOUR / 2);
  return Math.max(at, half + random.of([0, 0, 0, 1, -1]));
}

const BROKEN = ['{"i": 1', 'no json', '{"i": 1,}', '[1, 2]', '{"i" 1}', '"text"', ''];

/** As DuckDB casts it from text. */
function randomCell(random: Random, type: Type): string {
  switch (type) {
    case 'INT':
      return random.of(['0', '1', '2', '3', '5', '-1', '10', '2147483647', '-2147483648']);
    case 'BIGINT':
      return random.of([
        '0',
        '1',
        '2',
        '-3',
        '42',
        '9007199254740993',
        '9223372036854775807',
        '-9223372036854775808',
      ]);
    case 'DECIMAL(10, 2)':
      return random.of(['0.00', '0.01', '1.50', '2.50', '-1.50', '10.00', '99.99', '-0.05', '99999999.99']);
    case 'DOUBLE':
      return random.of(['0', '1', '0.5', '-2.25', '100.75', '3']);
    case 'BOOLEAN':
      return random.of(['true', 'false']);
    case 'DATE':
      return random.of(['2026-03-27', '2026-03-28', '2026-03-29', '2026-03-30', '2026-03-31', '2024-02-29']);
    case 'TIMESTAMP':
      return new Date(BEGIN + random.int(-24, 72) * HOUR + random.of([0, 0, 1, 30 * 60_000]))
        .toISOString()
        .replace('Z', '');
    default:
      return random.of(['', 'a', 'b', 'ab', 'aB', ' x ', 'é', '12', '-7', '1.5', '😀', '\uff5e', 'a"b\\c']);
  }
}

/** The cells as JSON, in one of the ways in which it can be written. */
function jsonOf(random: Random, cells: readonly (string | null)[], wrong: string | undefined): string {
  const fields = COLUMNS.flatMap(({ name, type }, i) => {
    const cell = cells[i] ?? null;
    const spelling = random.chance(0.1) ? name.toUpperCase() : name;
    if (name === wrong) return [`${JSON.stringify(spelling)}: ${type === 'BOOLEAN' ? '1.5' : '"wrong"'}`];
    if (cell === null) return random.chance(0.5) ? [] : [`${JSON.stringify(spelling)}: null`];
    return [`${JSON.stringify(spelling)}:${random.chance(0.5) ? ' ' : ''}${jsonCell(random, cell, type)}`];
  });
  if (random.chance(0.2)) fields.push('"more": {"i": [1, "}", null]}');
  return `{${random.shuffled(fields).join(random.chance(0.5) ? ',' : ', ')}}`;
}

function jsonCell(random: Random, cell: string, type: Type): string {
  switch (type) {
    case 'INT':
    case 'BIGINT':
      return random.chance(0.1) ? `"${cell}"` : cell;
    case 'DECIMAL(10, 2)':
      return random.of([cell, `"${cell}"`, cell.replace(/\.?0+$/, '')]);
    case 'DOUBLE':
      return random.chance(0.2) ? `${cell}e0` : cell;
    case 'BOOLEAN':
      return cell;
    case 'DATE':
      return String(Date.parse(cell) / 86_400_000);
    case 'TIMESTAMP':
      return String(Date.parse(`${cell}Z`));
    default:
      return random.chance(0.2) ? escaped(cell) : JSON.stringify(cell);
  }
}

function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) =>
    text.charCodeAt(i).toString(16).padStart(4, '0'),
  );
  return `"${units.map(u => `\\u${u}`).join('')}"`;
}
