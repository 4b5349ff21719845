/** A mistake that somebody could make in the engine, as a change of its source. */
export interface PlantedBug {
  readonly name: string;
  /** below src/ */
  readonly file: string;
  /** stands in the file once */
  readonly text: string;
  readonly replacement: string;
  /** which oracle must see it: random scripts (engine against fold), DuckDB (both against another), or the decoders */
  readonly oracle: Oracle;
  /** within so many of its cases, whatever the seed */
  readonly within: number;
}

export type Oracle = 'scripts' | 'duckdb' | 'decoders';

/** Where SQL is decided, in code that changes seldom: when a text is gone, plant the mistake anew where its work is done now. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a null row stays when its row meets another',
    file: 'operators/equi-join.ts',
    text: 'if (other.countMet(partner, 1) === 0 && other.preserved) {',
    replacement: 'if (other.countMet(partner, 1) < 0) {',
    oracle: 'scripts',
    within: 400,
  },
  {
    name: 'a deleted row is still found by a stream that looks it up',
    file: 'operators/stream-table-join.ts',
    text: 'if (slot >= 0) this.#table.drop(slot);',
    replacement: '',
    oracle: 'scripts',
    within: 400,
  },
  {
    name: 'a deletion of one table leaves its side of a joined row',
    file: 'operators/table-table-join.ts',
    text: 'this.#has.i32[slot] = has & ~bit;',
    replacement: 'this.#has.i32[slot] = has;',
    oracle: 'scripts',
    within: 1000,
  },
  {
    name: 'a row is older than the one that it looks up',
    file: 'operators/foreign-key-join.ts',
    text: 'if (found !== NONE) time = Math.max(time, this.#rightTime.f64[found] as number);',
    replacement: '',
    oracle: 'scripts',
    within: 400,
  },
  {
    name: 'a row waits for others a millisecond too long',
    file: 'operators/join-side.ts',
    text: 'return time > this.laneTime - this.#keep;',
    replacement: 'return time >= this.laneTime - this.#keep;',
    oracle: 'scripts',
    within: 600,
  },
  {
    name: 'stream time of a join is forgotten at a restart',
    file: 'operators/join-side.ts',
    text: '    this.laneTime = laneTime;\n',
    replacement: '',
    oracle: 'scripts',
    within: 400,
  },
  {
    name: 'rows enter and leave by the clock one moment too late',
    file: 'operators/temporal-filter.ts',
    text: 'while (this.#moves.first <= now) {',
    replacement: 'while (this.#moves.first < now) {',
    oracle: 'scripts',
    within: 300,
  },
  {
    name: 'sessions just a gap apart stay two',
    file: 'operators/session-chains.ts',
    text: '+ gap >= time;',
    replacement: '+ gap > time;',
    oracle: 'scripts',
    within: 1000,
  },
  {
    name: 'a window takes rows at the moment of its end',
    file: 'operators/windows.ts',
    text: 'return start + spec.size + spec.grace <= laneTime;',
    replacement: 'return start + spec.size + spec.grace < laneTime;',
    oracle: 'scripts',
    within: 400,
  },
  {
    name: 'COUNT of a column counts its NULLs',
    file: 'operators/accumulators/count-accumulator.ts',
    text: 'if (this.#vecs.some(vec => isNullAt(vec, row[k] as number))) continue;',
    replacement: '',
    oracle: 'scripts',
    within: 500,
  },
  {
    name: 'generated code: NOT of NULL is true',
    file: 'expr/generate/predicate-source.ts',
    text: '=== 2 ? 2 : 1 - $',
    replacement: '=== 2 ? 1 : 1 - $',
    oracle: 'scripts',
    within: 500,
  },
  {
    name: 'EXPLODE gives the first element again and again',
    file: 'operators/explode.ts',
    text: '.push(results[f]?.[r] ?? null)',
    replacement: '.push(results[f]?.[0] ?? null)',
    oracle: 'scripts',
    within: 200,
  },
  {
    name: 'NULL and 0 are one key',
    file: 'operators/key-encoder.ts',
    text: 'this.#buffer[at] = 0;',
    replacement: 'this.#buffer[at] = 1;',
    oracle: 'scripts',
    within: 400,
  },
  {
    name: 'a KAFKA key of 64 bits has its upper half twice',
    file: 'decode/columns/block-decoder.ts',
    text: 'sink.words[row * 2] = bigEndian(bytes, start + 4);',
    replacement: 'sink.words[row * 2] = bigEndian(bytes, start);',
    oracle: 'decoders',
    within: 100,
  },
  {
    name: 'a record without a time is given one',
    file: 'decode/columns/block-decoder.ts',
    text: 'if (!isEventTime(time)) return false;',
    replacement: '',
    oracle: 'decoders',
    within: 600,
  },
  {
    name: 'code for a steady shape: a sign is lost',
    file: 'decode/columns/record-shape.ts',
    text: "const signed = 'negative ? -m : m';",
    replacement: "const signed = 'm';",
    oracle: 'decoders',
    within: 600,
  },
  {
    name: 'decimals are cut where they should be rounded',
    file: 'expr/decimal.ts',
    text: 'if (twice < (b < 0n ? -b : b)) return quotient;',
    replacement: 'if (twice < 0n || b !== 0n) return quotient;',
    oracle: 'duckdb',
    within: 500,
  },
  {
    name: 'conditions on rows that change move below GROUP BY though they read an aggregate',
    file: 'plan/rules/push-filter.ts',
    text: 'const movable = parts.filter(part => readsKeysOnly(part, input));',
    replacement: 'const movable = parts.filter(part => columnsOf(part).size > 0);',
    oracle: 'duckdb',
    within: 500,
  },
];
