import { isGrouped } from './print.ts';
import type { Random } from './random.ts';
import { column, columnsIn, type Term } from './term.ts';
import { columnLeaves, type Leaves, randomAggregate, randomKind, randomTerm } from './terms.ts';
import { type Kind, kindOf } from './types.ts';
import { type JoinPart, SOURCES, type Temporal, type View, type Window } from './view.ts';

/** Up to three views, each over a source or over one before it, so that scans and views are shared. */
export function randomViews(random: Random): readonly View[] {
  const views: View[] = [];
  const count = random.of([1, 1, 1, 2, 2, 3]);
  while (views.length < count) {
    const below = random.chance(0.6) ? views.at(-1) : views[0];
    const name = `v${views.length + 1}`;
    if (random.chance(0.35)) {
      views.push(randomJoin(random, name, views));
      continue;
    }
    if (below && random.chance(0.7)) {
      const columns = below.items.map(i => column(i.name, i.term.type));
      views.push(
        randomView(random, { name, from: below.name, join: null, overWindows: showsWindows(below) }, columns),
      );
    } else {
      const from = random.of(['s', 's', 's', 't', 't', 't', 'g']);
      views.push(randomView(random, { name, from, join: null, overWindows: false }, SOURCES[from] ?? []));
    }
  }
  return views;
}

/** Whether rows of the view have the bounds of a window. */
function showsWindows(view: View): boolean {
  return view.window !== null || (view.overWindows && !isGrouped(view) && !view.distinct);
}

interface JoinInput {
  readonly name: string;
  readonly columns: readonly Term[];
}

/** A view over two sources or views, one with itself among them. */
function randomJoin(random: Random, name: string, views: readonly View[]): View {
  const sides: readonly JoinInput[] = [
    ...Object.entries(SOURCES).map(([source, columns]) => ({ name: source, columns })),
    ...views
      .filter(view => !showsWindows(view))
      .map(view => ({ name: view.name, columns: view.items.map(i => column(i.name, i.term.type)) })),
  ];
  const [from, right] = [random.of(sides), random.of(sides)];
  const prefixed = (side: JoinInput, prefix: string) =>
    side.columns.map(c => column(`${prefix}_${c.text}`, c.type));
  const lefts = prefixed(from, 'l');
  const rights = prefixed(right, 'r');
  const fitting = lefts.flatMap(l =>
    rights.filter(r => r.type === l.type && r.type !== 'BOOLEAN').map(r => [l, r] as const),
  );
  if (fitting.length === 0) return randomJoin(random, name, []);
  const columns = [...lefts, ...rights];
  const type = random.of(['JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'] as const);
  const join: JoinPart = {
    type,
    right: right.name,
    columns: { left: from.columns.map(c => c.text ?? ''), right: right.columns.map(c => c.text ?? '') },
    pairs: randomPairs(random, right.name, fitting),
    rest: random.chance(0.4) ? [randomTerm(random, 'BOOLEAN', 2, columnLeaves(columns))] : [],
  };
  return randomView(random, { name, from: from.name, join, overWindows: false }, columns);
}

function randomPairs(random: Random, right: string, fitting: JoinPart['pairs']): JoinPart['pairs'] {
  // a look-up by the key of a table has a plan of its own
  const byKey = right === 't' ? fitting.filter(([, r]) => r.text === 'r_k') : [];
  if (byKey.length > 0 && random.chance(0.6)) return [random.of(byKey)];
  return Array.from({ length: random.int(1, 2) }, () => random.of(fitting));
}

type Input = Pick<View, 'name' | 'from' | 'join' | 'overWindows'>;

function randomView(random: Random, input: Input, columns: readonly Term[]): View {
  const { from } = input;
  const leaves = columnLeaves(columns);
  const where = random.chance(0.5)
    ? Array.from({ length: random.int(1, 2) }, () => randomTerm(random, 'BOOLEAN', 2, leaves))
    : [];
  const stream = from === 's' && input.join === null;
  const windowed = stream && random.chance(0.3);
  const temporal = !windowed && random.chance(0.35) ? randomTemporals(random, columns) : [];
  const base = { ...input, where, temporal, having: null, window: null, positions: false, star: 0 };
  if (!windowed && random.chance(0.4)) {
    const all = random.chance(0.2) && !input.overWindows && !input.join ? allColumns(columns) : [];
    const items = [
      ...all,
      ...randomItems(random, columns).map(i =>
        all.length > 0 ? { ...i, name: `${input.name}_${i.name}` } : i,
      ),
    ];
    return { ...base, distinct: random.chance(0.3), items, star: all.length, group: null };
  }
  const group = randomKeys(random, columns, windowed);
  // rows that never go have a first and a last one
  const offsets = stream && temporal.length === 0;
  const over = groupLeaves(group, columns);
  const items = [
    ...group.filter(() => random.chance(0.85)),
    ...Array.from({ length: random.int(1, 3) }, () =>
      random.chance(0.75)
        ? randomAggregate(random, columns, offsets)
        : randomTerm(random, randomKind(random), 2, over),
    ),
  ].map((term, i) => ({ name: `c${i}`, term }));
  const having = random.chance(0.3) ? randomTerm(random, 'BOOLEAN', 2, over) : null;
  // refused by this version: DISTINCT aggregates over sessions
  const sessions = ![...items.map(i => i.term), ...(having ? [having] : [])].some(hasDistinct);
  return {
    ...base,
    distinct: !windowed && random.chance(0.1),
    positions: random.chance(0.3),
    items,
    group,
    having,
    window: windowed ? randomWindow(random, sessions) : null,
  };
}

/** What * stands for; ROWTIME must be asked for. */
function allColumns(columns: readonly Term[]): View['items'] {
  return columns.filter(c => c.text !== 'ROWTIME').map(term => ({ name: term.text ?? '', term }));
}

function randomItems(random: Random, columns: readonly Term[]): View['items'] {
  const leaves = columnLeaves(columns);
  return Array.from({ length: random.int(1, 4) }, (_, i) => ({
    name: `c${i}`,
    term: randomTerm(random, randomKind(random), 3, leaves),
  }));
}

/** Keys read at least one column: a bare number in GROUP BY is a position. */
function randomKeys(random: Random, columns: readonly Term[], windowed: boolean): readonly Term[] {
  const keys: Term[] = [];
  const count = windowed ? random.int(1, 2) : random.int(0, 2);
  for (let i = 0; keys.length < count && i < 20; i++) {
    const key = random.chance(0.6)
      ? random.of(columns)
      : randomTerm(random, randomKind(random), 2, columnLeaves(columns));
    if (columnsIn(key).size > 0 && !keys.some(k => JSON.stringify(k) === JSON.stringify(key))) keys.push(key);
  }
  if (windowed && keys.length === 0) keys.push(random.of(columns));
  return keys;
}

function groupLeaves(keys: readonly Term[], columns: readonly Term[]): Leaves {
  return (random: Random, kind: Kind) => {
    const fitting = keys.filter(key => kindOf(key.type) === kind);
    if (fitting.length > 0 && random.chance(0.6)) return random.of(fitting);
    for (let i = 0; i < 4; i++) {
      const aggregate = randomAggregate(random, columns);
      if (kindOf(aggregate.type) === kind) return aggregate;
    }
    return fitting.length > 0 ? random.of(fitting) : null;
  };
}

function hasDistinct(term: Term): boolean {
  return term.distinct === true || term.args.some(hasDistinct);
}

function randomWindow(random: Random, sessions: boolean): Window {
  const size = random.of([1_000, 5_000, 10_000]);
  const type = random.of(['tumbling', 'hopping', sessions ? 'session' : 'tumbling'] as const);
  if (type === 'session') return { type, size, advance: size, grace: 86_400_000, final: false };
  return {
    type,
    size,
    advance: type === 'tumbling' ? size : size / random.of([2, 5]),
    grace: random.of([0, 2_000, 20_000]),
    final: random.chance(0.3),
  };
}

/** Comparisons with the clock; DuckDB reads `now`, `today` and `midnight` (the instant at which today began). */
function randomTemporals(random: Random, columns: readonly Term[]): readonly Temporal[] {
  const fitting = columns.filter(c => kindOf(c.type) === 'DATE' || kindOf(c.type) === 'TIMESTAMP');
  if (fitting.length === 0) return [];
  return Array.from({ length: random.int(1, 2) }, () => randomTemporal(random, random.of(fitting)));
}

const OPS = ['<', '<=', '>', '>='] as const;

function randomTemporal(random: Random, { text = '', type }: Term): Temporal {
  const op = random.of(OPS);
  const n = random.int(0, 3);
  const on = (millrace: string, duckdb: string): Temporal => ({
    column: text,
    millrace: millrace.replaceAll('$', text),
    duckdb: duckdb.replaceAll('$', text),
  });
  if (kindOf(type) === 'DATE') {
    return random.of([
      on(`$ ${op} CURRENT_DATE`, `$ ${op} getvariable('today')`),
      on(`CURRENT_DATE ${op} $`, `getvariable('today') ${op} $`),
      on('$ = CURRENT_DATE', "$ = getvariable('today')"),
      on(`$ ${op} CURRENT_DATE - ${n}`, `$ ${op} getvariable('today') - ${n}`),
      on(`$ + ${n} ${op} CURRENT_DATE`, `$ + ${n} ${op} getvariable('today')`),
      on(`$ ${op} NOW()`, `start_of_day($) ${op} getvariable('now')`),
    ]);
  }
  return random.of([
    on(`$ ${op} NOW()`, `$ ${op} getvariable('now')`),
    on(`$ ${op} CURRENT_TIMESTAMP`, `$ ${op} getvariable('now')`),
    on(`NOW() ${op} $`, `getvariable('now') ${op} $`),
    on(`$ ${op} NOW() - INTERVAL '${n}' HOUR`, `$ ${op} getvariable('now') - INTERVAL ${n} HOUR`),
    on(`$ + INTERVAL '${n}' DAY ${op} NOW()`, `$ + INTERVAL ${n} DAY ${op} getvariable('now')`),
    on(`$ ${op} CURRENT_DATE`, `$ ${op} getvariable('midnight')`),
    on(
      `$ BETWEEN NOW() - INTERVAL '${n}' HOUR AND NOW()`,
      `$ BETWEEN getvariable('now') - INTERVAL ${n} HOUR AND getvariable('now')`,
    ),
  ]);
}
