import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type BenchOptions, type Figure, interleaved, median, runBench } from './bench.ts';
import { temporaryFolder, withAttempts } from './history.ts';
import { liveViews, viewsFolder } from './http/live-views.ts';
import { type Loaded, loadFrom } from './http/load.ts';
import { type Served, serve, stateOf, until } from './http/served.ts';

/** Durable commands: how many, how soon, and how soon they are seen in views. */

const CLIENTS = [1, 50, 200];
const RATE = 1_000;

export interface CommandFigures {
  /** requests a second, and ms, by number of clients: medians over the rounds */
  readonly bare: ReadonlyMap<number, Measured>;
  readonly http: ReadonlyMap<number, Measured>;
  readonly withViews: ReadonlyMap<number, Measured>;
  readonly inProcess: ReadonlyMap<number, Measured>;
  /** commands a second by those of bare Fastify, within a round */
  readonly ratio: ReadonlyMap<number, number>;
  readonly ratioWithViews: ReadonlyMap<number, number>;
  /** the same by CPU time of the main thread per request, which the load of the machine moves less */
  readonly cpuRatio: ReadonlyMap<number, number>;
  readonly cpuRatioWithViews: ReadonlyMap<number, number>;
}

export interface Measured extends Loaded {
  /** CPU seconds of all threads of the server */
  readonly cpuPerRequest: number;
  /** of its main thread alone: what limits it when there are cores enough */
  readonly mainCpuPerRequest: number;
  /** share of the time in which its main thread was busy */
  readonly busy: number;
}

async function used(server: Served, { requests }: Loaded): Promise<Omit<Measured, keyof Loaded>> {
  const { cpu, mainCpu, busy } = await server.usage();
  return { cpuPerRequest: cpu / requests, mainCpuPerRequest: mainCpu / requests, busy };
}

/** The servers stand side by side; they are loaded in turn. */
export async function commandFigures(options: {
  readonly seconds: number;
  readonly rounds: number;
  readonly clients?: readonly number[];
}): Promise<CommandFigures> {
  const { seconds, rounds, clients = CLIENTS } = options;
  const folder = temporaryFolder();
  const millrace = (name: string, views: number): Promise<Served> =>
    serve('millrace-server.ts', {
      dataDir: join(folder, name, 'data'),
      viewsDir: viewsFolder(join(folder, name, 'views'), liveViews(views)),
    });
  const servers = [
    await serve('bare-server.ts', null),
    await millrace('without', 0),
    await millrace('with', 20),
  ];
  try {
    let runs = 0;
    const load = async (server: Served | undefined, count: number): Promise<Measured> => {
      if (server === undefined) throw new Error('no server');
      await server.usage();
      const loaded = await loadFrom({
        kind: 'commands',
        port: server.port,
        clients: count,
        seconds,
        prefix: `r${runs++}`,
      });
      if (loaded.refused > 0) throw new Error(`${loaded.refused} commands were refused`);
      return { ...loaded, ...(await used(server, loaded)) };
    };
    const inProcess = async (server: Served | undefined, count: number): Promise<Measured> => {
      const order = { clients: count, seconds, prefix: `r${runs++}` };
      if (server === undefined) throw new Error('no server');
      await server.usage();
      const loaded = (await server.ask('inProcess', order)) as Loaded;
      return { ...loaded, ...(await used(server, loaded)) };
    };
    for (const server of servers) await load(server, 50);
    const figures = {
      bare: new Map<number, Measured>(),
      http: new Map<number, Measured>(),
      withViews: new Map<number, Measured>(),
      inProcess: new Map<number, Measured>(),
      ratio: new Map<number, number>(),
      ratioWithViews: new Map<number, number>(),
      cpuRatio: new Map<number, number>(),
      cpuRatioWithViews: new Map<number, number>(),
    };
    for (const count of clients) {
      const measured = await interleaved(
        {
          bare: () => load(servers[0], count),
          http: () => load(servers[1], count),
          withViews: () => load(servers[2], count),
          inProcess: () => inProcess(servers[1], count),
        },
        rounds,
      );
      const { bare, http, withViews } = measured;
      const by = (a: readonly Measured[], of: (m: Measured) => number) =>
        median(a.map((m, round) => of(m) / of(bare[round] as Measured)));
      figures.bare.set(count, middle(bare));
      figures.http.set(count, middle(http));
      figures.withViews.set(count, middle(withViews));
      figures.inProcess.set(count, middle(measured.inProcess));
      figures.ratio.set(
        count,
        by(http, m => m.perSecond),
      );
      figures.ratioWithViews.set(
        count,
        by(withViews, m => m.perSecond),
      );
      figures.cpuRatio.set(
        count,
        by(http, m => 1 / m.mainCpuPerRequest),
      );
      figures.cpuRatioWithViews.set(
        count,
        by(withViews, m => 1 / m.mainCpuPerRequest),
      );
    }
    return figures;
  } finally {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface VisibleFigures {
  /** from sending a command over HTTP until a read sees it in 20 views, ms */
  readonly idle: Loaded;
  /** the same while a view is built over the history */
  readonly duringBuild: Loaded;
  readonly buildSeconds: number;
  readonly events: number;
}

const BUILT = `
CREATE VIEW built AS SELECT card_number, COUNT(*) AS attempts, SUM(amount) AS amount
  FROM attempts GROUP BY card_number;`;

/** 1,000 commands a second that each change 20 views. */
export async function visibleFigures(events: number, seconds: number): Promise<VisibleFigures> {
  return withAttempts(events, async history => {
    const viewsDir = viewsFolder(join(history.dataDir, 'visible', 'views'), liveViews(20));
    const server = await serve('millrace-server.ts', { dataDir: history.dataDir, viewsDir, watch: true });
    try {
      let runs = 0;
      const load = async (time: number): Promise<Loaded> => {
        const loaded = await loadFrom({
          kind: 'commands',
          port: server.port,
          clients: 64,
          seconds: time,
          rate: RATE,
          prefix: `v${runs++}`,
          see: '/views/live_0?limit=1&wait=30s&after=',
        });
        if (loaded.refused > 0) throw new Error(`${loaded.refused} requests were refused`);
        return loaded;
      };
      await load(2);
      const idle = await load(seconds);
      const begun = performance.now();
      await server.ask('drop', ['built', BUILT]);
      let buildSeconds = 0;
      const built = (async () => {
        await until(async () => (await stateOf(server, 'built')) === 'live');
        buildSeconds = (performance.now() - begun) / 1000;
      })();
      await until(async () => (await stateOf(server, 'built')) !== undefined);
      const duringBuild = await load(seconds);
      await built;
      return { idle, duringBuild, buildSeconds, events };
    } finally {
      await server.stop();
      rmSync(join(history.dataDir, 'visible'), { recursive: true, force: true });
      rmSync(join(history.dataDir, 'state'), { recursive: true, force: true });
    }
  });
}

/** The median of each number. */
function middle<L extends Loaded>(loads: readonly L[]): L {
  const [first] = loads;
  if (first === undefined) throw new Error('nothing was measured');
  const names = Object.keys(first) as (keyof L)[];
  return Object.fromEntries(
    names.map(name => [name, median(loads.map(l => l[name] as number))]),
  ) as unknown as L;
}

async function run({ quick }: BenchOptions): Promise<Figure[]> {
  const commands = await commandFigures({ seconds: quick ? 1 : 2, rounds: quick ? 1 : 5 });
  const visible = await visibleFigures(quick ? 100_000 : 5_000_000, quick ? 2 : 10);
  const figures: Figure[] = [];
  for (const count of CLIENTS) {
    const of = (name: string, what: string, l: Loaded | undefined): void => {
      if (l === undefined) return;
      figures.push(
        { name: `${name}-${count}`, what: `${what}, ${count} clients`, value: l.perSecond, unit: '/s' },
        { name: `${name}-${count}-p50`, what: `${what}, ${count} clients, p50`, value: l.p50, unit: 'ms' },
        { name: `${name}-${count}-p99`, what: `${what}, ${count} clients, p99`, value: l.p99, unit: 'ms' },
        {
          name: `${name}-${count}-p999`,
          what: `${what}, ${count} clients, p99.9`,
          value: l.p999,
          unit: 'ms',
        },
      );
    };
    of('bare', 'bare Fastify POST', commands.bare.get(count));
    of('http', 'durable commands over HTTP', commands.http.get(count));
    of('with-views', 'the same with 20 live views', commands.withViews.get(count));
    of('in-process', 'durable commands in process', commands.inProcess.get(count));
    const promised = (floor: number) => (count === 200 ? { floor } : {});
    figures.push(
      {
        name: `by-bare-${count}`,
        what: `commands by bare Fastify, ${count} clients`,
        value: commands.ratio.get(count) ?? Number.NaN,
        unit: 'x',
        ...promised(0.4),
      },
      {
        name: `with-views-by-bare-${count}`,
        what: `commands with 20 live views by bare Fastify, ${count} clients`,
        value: commands.ratioWithViews.get(count) ?? Number.NaN,
        unit: 'x',
        ...promised(0.3),
      },
    );
  }
  const seen = (name: string, what: string, l: Loaded, ceiling: number): void => {
    figures.push(
      { name: `${name}-p50`, what: `${what}, p50`, value: l.p50, unit: 'ms' },
      { name: `${name}-p99`, what: `${what}, p99`, value: l.p99, unit: 'ms', ceiling },
    );
  };
  seen('visible', 'command to visible in 20 views at 1,000/s', visible.idle, 10);
  seen('visible-building', 'the same beside a build of 5 M events', visible.duringBuild, 40);
  return figures;
}

export const bench: Bench = {
  name: 'commands',
  title: 'durable commands over HTTP and in process, without and with live views, and until views show them',
  run,
};

if (import.meta.main) await runBench(bench);
