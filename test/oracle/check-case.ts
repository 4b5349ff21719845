import type { DuckdbSide } from './duckdb-side.ts';
import { Random } from './generator/random.ts';
import {
  type Answers,
  askedOnce,
  engineAt,
  foldAt,
  type Prepared,
  prepare,
  typesOf,
} from './millrace-side.ts';
import type { OracleCase } from './oracle-case.ts';

export interface CheckOptions {
  readonly duckdb: DuckdbSide;
  /** decides at which positions the sides are compared */
  readonly seed: number;
}

/**
 * Compares reference fold and DuckDB at some positions and at the end, the engine with the fold at the same positions, which
 * cut its epochs, and ad hoc queries with the fold at the end. The first difference as text, or null.
 */
export async function checkCase(test: OracleCase, options: CheckOptions): Promise<string | null> {
  let prepared: Prepared;
  try {
    prepared = prepare(test);
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const random = new Random(options.seed);
  const end = test.records.length;
  const between = Array.from({ length: 3 }, () => random.int(1, end));
  const positions = [...new Set([...between, ...sharp(test, random), end])].sort((a, b) => a - b);
  try {
    const fold = foldAt(prepared, positions);
    const engine = engineAt(prepared, positions, random.int(0, positions.length - 1));
    return (
      differenceOfEngine(positions, fold, engine) ??
      differenceOfQueries(fold.at(-1), askedOnce(prepared)) ??
      (await differenceOfDuckdb(test, options, positions, fold, prepared))
    );
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** Positions at which the clock stands on the hour or the half: where rows enter and leave by the clock. */
function sharp(test: OracleCase, random: Random): readonly number[] {
  const all = test.records.flatMap((record, seq) => {
    const clock = 'tick' in record ? record.tick : record.at;
    return clock % 1_800_000 === 0 ? [seq + 1] : [];
  });
  return random.shuffled(all).slice(0, 3);
}

function differenceOfEngine(
  positions: readonly number[],
  fold: readonly Answers[],
  engine: readonly Answers[],
): string | null {
  for (const [i, position] of positions.entries()) {
    for (const [view, expected] of fold[i]?.rows ?? []) {
      const actual = engine[i]?.rows.get(view) ?? [];
      const text = difference(`${view} at ${position}`, { fold: expected, engine: actual });
      if (text) return text;
    }
    const ledgers = { fold: ledgerTexts(fold[i]), engine: ledgerTexts(engine[i]) };
    const text = difference(`ledger at ${position}`, ledgers);
    if (text) return text;
  }
  return null;
}

function differenceOfQueries(fold: Answers | undefined, asked: Answers): string | null {
  for (const [view, expected] of fold?.rows ?? []) {
    const text = difference(`${view} asked once`, { fold: expected, asked: asked.rows.get(view) ?? [] });
    if (text) return text;
  }
  return null;
}

function ledgerTexts(answers: Answers | undefined): readonly string[] {
  return (answers?.ledger ?? []).map(e => `${e.view} ${e.reason} @${e.seq}`).sort();
}

async function differenceOfDuckdb(
  test: OracleCase,
  { duckdb }: CheckOptions,
  positions: readonly number[],
  fold: readonly Answers[],
  prepared: Prepared,
): Promise<string | null> {
  await duckdb.load(test);
  for (const [i, position] of positions.entries()) {
    for (const [view, actual] of fold[i]?.rows ?? []) {
      const expected = await duckdb.rows(view, position);
      const text = difference(`${view} at ${position}`, { duckdb: expected, fold: actual });
      if (text) return `${text}\n${typesOf(prepared)}`;
    }
  }
  return null;
}

function difference(where: string, sides: Readonly<Record<string, readonly string[]>>): string | null {
  const [[left, a], [right, b]] = Object.entries(sides) as [
    [string, readonly string[]],
    [string, readonly string[]],
  ];
  if (a.join('\n') === b.join('\n')) return null;
  const list = (rows: readonly string[]) => rows.map(row => `    ${row}`).join('\n') || '    (no rows)';
  return `${where}\n  ${left}:\n${list(a)}\n  ${right}:\n${list(b)}`;
}
