import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type BenchOptions, type Figure, interleaved, median, runBench } from './bench.ts';
import { type History, withAttempts } from './history.ts';
import { viewsFolder } from './http/live-views.ts';
import { type Loaded, loadFrom } from './http/load.ts';
import { type Served, serve, stateOf, until } from './http/served.ts';

/** Reads of a view against a Fastify route that gives the same bytes, and the same reads beside a build. */

const CLIENTS = 50;
const RATE = 1_000;

const CARDS = `
CREATE VIEW cards AS
  SELECT country, card_number, COUNT(*) AS attempts, SUM(amount) AS amount, MAX(amount) AS most
  FROM attempts GROUP BY country, card_number;`;
const BUILT = `
CREATE VIEW built AS SELECT card_number, COUNT(*) AS attempts, SUM(amount) AS amount
  FROM attempts GROUP BY card_number;`;

type Kind = 'row' | 'page' | 'filtered';

export interface ReadFigures {
  readonly views: Readonly<Record<Kind, Loaded>>;
  readonly bare: Readonly<Record<Kind, Loaded>>;
  /** reads a second by those of bare Fastify, within a round */
  readonly ratio: Readonly<Record<Kind, number>>;
  /** one row, 1,000 reads a second */
  readonly idle: Loaded;
  readonly duringBuild: Loaded;
  /** p99 beside a build by p99 without */
  readonly p99Ratio: number;
  readonly buildSeconds: number;
}

/** `events`: of the history that the build reads; `viewed`: of the one that the view is made of. */
export async function readFigures(options: {
  readonly events: number;
  readonly seconds: number;
  readonly rounds: number;
}): Promise<ReadFigures> {
  const { events, seconds, rounds } = options;
  return withAttempts(events, async history => {
    const viewsDir = viewsFolder(join(history.dataDir, 'reads', 'views'), new Map([['cards', CARDS]]));
    const server = await serve('millrace-server.ts', { dataDir: history.dataDir, viewsDir, watch: true });
    const bare = await serve('bare-server.ts', null);
    try {
      return await measured({ server, bare, history, seconds, rounds });
    } finally {
      await server.stop();
      await bare.stop();
      rmSync(join(history.dataDir, 'reads'), { recursive: true, force: true });
      rmSync(join(history.dataDir, 'state'), { recursive: true, force: true });
    }
  });
}

interface Measuring {
  readonly server: Served;
  readonly bare: Served;
  readonly history: History;
  readonly seconds: number;
  readonly rounds: number;
}

async function measured({ server, bare, seconds, rounds }: Measuring): Promise<ReadFigures> {
  const paths = await readPaths(server);
  const load = async (port: number, of: readonly string[], rate?: number): Promise<Loaded> => {
    const loaded = await loadFrom({
      kind: 'get',
      port,
      clients: CLIENTS,
      seconds,
      paths: of,
      rate,
      awake: rate === undefined,
    });
    if (loaded.refused > 0) throw new Error(`${loaded.refused} reads were refused`);
    return loaded;
  };
  const kinds = Object.keys(paths) as Kind[];
  const prepared = new Map<string, string>();
  for (const kind of kinds) for (const [i, path] of paths[kind].entries()) prepared.set(`${kind}-${i}`, path);
  await prepare(server, bare, prepared);
  const results = {
    views: {} as Record<Kind, Loaded>,
    bare: {} as Record<Kind, Loaded>,
    ratio: {} as Record<Kind, number>,
  };
  for (const kind of kinds) {
    const bytes = paths[kind].map((_, i) => `/bytes/${kind}-${i}`);
    const by = await interleaved(
      { views: () => load(server.port, paths[kind]), bare: () => load(bare.port, bytes) },
      rounds + 1,
    );
    // the first round warms up
    results.views[kind] = middle(by.views.slice(1));
    results.bare[kind] = middle(by.bare.slice(1));
    results.ratio[kind] = median(
      by.views.slice(1).map((v, round) => v.perSecond / (by.bare[round + 1]?.perSecond ?? Number.NaN)),
    );
  }
  const idle = await load(server.port, paths.row, RATE);
  const begun = performance.now();
  await server.ask('drop', ['built', BUILT]);
  await until(async () => (await stateOf(server, 'built')) !== undefined);
  let buildSeconds = 0;
  const built = until(async () => (await stateOf(server, 'built')) === 'live').then(() => {
    buildSeconds = (performance.now() - begun) / 1000;
  });
  const duringBuild = await load(server.port, paths.row, RATE);
  await built;
  return { ...results, idle, duringBuild, p99Ratio: duringBuild.p99 / idle.p99, buildSeconds };
}

/** What is asked for: 500 rows by their keys, the first page, pages of rows whose key begins with a value. */
async function readPaths(server: Served): Promise<Record<Kind, string[]>> {
  const answer = await fetch(`http://127.0.0.1:${server.port}/views/cards?limit=500`);
  const { rows } = (await answer.json()) as { rows: { country: string; card_number: string }[] };
  const field = (row: Record<string, unknown>, name: string): string =>
    String(row[name] ?? row[name.toUpperCase()]);
  return {
    row: rows.map(r => `/views/cards/${field(r, 'country')}/${field(r, 'card_number')}`),
    page: ['/views/cards?limit=100'],
    filtered: ['DE', 'FR', 'US', 'GB', 'PL'].map(c => `/views/cards?country=${c}&limit=100`),
  };
}

/** Gives the bare server the bytes that the views answer. */
async function prepare(server: Served, bare: Served, paths: ReadonlyMap<string, string>): Promise<void> {
  const entries: [string, string][] = [];
  for (const [name, path] of paths) {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    entries.push([name, await answer.text()]);
  }
  await bare.ask('prepare', entries);
}

function middle(loads: readonly Loaded[]): Loaded {
  const [first] = loads;
  if (first === undefined) throw new Error('nothing was measured');
  const names = Object.keys(first) as (keyof Loaded)[];
  return Object.fromEntries(names.map(name => [name, median(loads.map(l => l[name]))])) as unknown as Loaded;
}

async function run({ quick }: BenchOptions): Promise<Figure[]> {
  const figures = await readFigures({
    events: quick ? 50_000 : 5_000_000,
    seconds: quick ? 1 : 3,
    rounds: quick ? 1 : 3,
  });
  const WHAT: Readonly<Record<Kind, string>> = {
    row: 'one row by its key',
    page: 'a page of 100 rows',
    filtered: 'a page of 100 rows by the first column of the key',
  };
  const rows = (Object.keys(WHAT) as Kind[]).flatMap((kind): Figure[] => [
    { name: kind, what: WHAT[kind], value: figures.views[kind].perSecond, unit: '/s' },
    { name: `${kind}-p99`, what: `${WHAT[kind]}, p99`, value: figures.views[kind].p99, unit: 'ms' },
    {
      name: `${kind}-bare`,
      what: 'bare Fastify, the same bytes',
      value: figures.bare[kind].perSecond,
      unit: '/s',
    },
    {
      name: `${kind}-by-bare`,
      what: `${WHAT[kind]} by bare Fastify`,
      value: figures.ratio[kind],
      unit: 'x',
      ...(kind === 'row' ? { floor: 0.75 } : {}),
    },
  ]);
  return [
    ...rows,
    { name: 'idle-p99', what: 'one row, 1,000 reads/s, p99', value: figures.idle.p99, unit: 'ms' },
    {
      name: 'building-p99',
      what: 'the same beside a build, p99',
      value: figures.duringBuild.p99,
      unit: 'ms',
    },
    {
      name: 'building-by-idle',
      what: 'p99 beside a build by p99 without',
      value: figures.p99Ratio,
      unit: 'x',
      ceiling: 3,
    },
  ];
}

export const bench: Bench = {
  name: 'reads',
  title: 'reads of a view over HTTP against bare Fastify giving the same bytes, and beside a build',
  run,
};

if (import.meta.main) await runBench(bench);
