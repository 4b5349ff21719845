import type { OracleCase } from '../oracle-case.ts';
import type { GeneratedCase } from './generate.ts';
import { literal, type Term } from './term.ts';
import { kindOf } from './types.ts';
import type { View } from './view.ts';

type Check = (candidate: GeneratedCase) => Promise<string | null>;

const MOST_TRIES = 800;

/** Takes records, clauses and parts of expressions away while the same kind of problem stays. */
export async function shrinkCase(
  start: GeneratedCase,
  problem: string,
  check: Check,
): Promise<{ readonly case: GeneratedCase; readonly problem: string }> {
  let best = { case: start, problem };
  let tries = 0;
  const kind = kindOfProblem(problem);
  for (let smaller = true; smaller && tries < MOST_TRIES; ) {
    smaller = false;
    for (const candidate of candidates(best.case)) {
      if (++tries > MOST_TRIES) break;
      const found = await check(candidate);
      if (found === null || kindOfProblem(found) !== kind) continue;
      best = { case: candidate, problem: found };
      smaller = true;
      break;
    }
  }
  return best;
}

/** A refusal must not become a wrong answer, nor a difference of the engine one of the fold. */
function kindOfProblem(problem: string): string {
  if (problem.includes('refused:')) return 'refused';
  if (problem.includes('\n  engine:')) return 'engine';
  if (problem.includes('\n  asked:')) return 'asked';
  return problem.includes('\n  duckdb:') ? 'duckdb' : 'thrown';
}

function* candidates(of: GeneratedCase): Generator<GeneratedCase> {
  yield* fewerRecords(of);
  const read = new Set(of.views.flatMap(view => [view.from, view.join?.right ?? view.from]));
  if (of.views.length > 1) {
    for (const view of of.views) {
      if (!read.has(view.name)) yield { ...of, views: of.views.filter(v => v !== view) };
    }
  }
  if (of.zone !== 'UTC') yield { ...of, zone: 'UTC' };
  for (const [i, view] of of.views.entries()) {
    for (const smaller of smallerViews(view, !read.has(view.name))) {
      yield { ...of, views: of.views.with(i, smaller) };
    }
  }
}

function* fewerRecords(of: GeneratedCase): Generator<GeneratedCase> {
  const { records } = of;
  for (let size = Math.ceil(records.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < records.length; at += size) {
      const rest = records.toSpliced(at, size);
      if (rest.length > 0) yield { ...of, records: rest };
    }
  }
}

/** `unread`: no view reads its columns, so items may go. */
function* smallerViews(view: View, unread: boolean): Generator<View> {
  if (view.distinct) yield { ...view, distinct: false };
  if (view.star > 0) yield { ...view, star: 0 };
  if (view.having) yield { ...view, having: null };
  for (const i of view.temporal.keys()) yield { ...view, temporal: view.temporal.toSpliced(i, 1) };
  for (const i of view.where.keys()) yield { ...view, where: view.where.toSpliced(i, 1) };
  if (unread && view.star === 0 && view.items.length > 1) {
    for (const i of view.items.keys()) yield { ...view, items: view.items.toSpliced(i, 1) };
  }
  const { join } = view;
  if (join) {
    for (const i of join.rest.keys()) yield { ...view, join: { ...join, rest: join.rest.toSpliced(i, 1) } };
    if (join.pairs.length > 1) yield { ...view, join: { ...join, pairs: join.pairs.slice(1) } };
  }
  for (const [i, item] of view.items.entries()) {
    if (i < view.star) continue;
    for (const term of smallerTerms(item.term))
      yield { ...view, items: view.items.with(i, { ...item, term }) };
  }
  for (const [i, condition] of view.where.entries()) {
    for (const term of smallerTerms(condition)) yield { ...view, where: view.where.with(i, term) };
  }
  if (view.having) for (const having of smallerTerms(view.having)) yield { ...view, having };
  if (view.group && !view.window) {
    for (const i of view.group.keys()) yield { ...view, group: view.group.toSpliced(i, 1) };
  }
}

/** The term with a part of the same type in its place, or a literal, or with one smaller argument. */
function* smallerTerms(term: Term): Generator<Term> {
  for (const arg of term.args) if (arg.type === term.type && term.op !== 'aggregate') yield arg;
  if (term.filter) yield { ...term, filter: null };
  if (term.distinct) yield { ...term, distinct: false };
  if (term.args.length > 0 && term.op !== 'aggregate') {
    const simple = SIMPLE[kindOf(term.type)];
    if (simple !== undefined && kindOf(term.type) === term.type) yield literal(simple, term.type);
  }
  for (const [i, arg] of term.args.entries()) {
    for (const smaller of smallerTerms(arg)) {
      if (smaller.type === arg.type) yield { ...term, args: term.args.with(i, smaller) };
    }
  }
}

const SIMPLE: Readonly<Record<string, string>> = { INT: '1', STRING: 'a', BOOLEAN: 'TRUE', DOUBLE: '1' };

/** What a person needs to see it. */
export function reproducer({ zone, views, records }: OracleCase): string {
  const lines = views.flatMap(v => [`  CREATE VIEW ${v.name} AS ${v.millrace}`, `    DuckDB: ${v.duckdb}`]);
  const texts = records.map(r =>
    'tick' in r
      ? `  tick ${new Date(r.tick).toISOString()}`
      : `  ${r.topic} ${r.key} ${r.value} time=${r.time} appended ${new Date(r.at).toISOString()}`,
  );
  return [`zone ${zone}`, ...lines, 'records:', ...texts].join('\n');
}
