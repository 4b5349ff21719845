import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, isIP } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import type { CommandRequest } from './commands/command-request.ts';
import { CommandRuntime } from './commands/command-runtime.ts';
import type { Commands } from './commands/commands.ts';
import type { ReactionModule } from './commands/reaction.ts';
import { Reactions } from './commands/reactions.ts';
import type { Settled } from './commands/result-store.ts';
import { type Config, defaultViews, loadConfig, projectRoot } from './config.ts';
import { assert } from './core/assert.ts';
import { byteText } from './core/byte-size.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { MillraceError } from './core/errors.ts';
import { armFaultPoints } from './core/fault-points.ts';
import { positionToken } from './core/position.ts';
import { importedFrom, loadExtensions } from './dataflow/extension.ts';
import { stateBytes } from './dataflow/memory-budget.ts';
import { rowText } from './dataflow/row-text.ts';
import { logDir } from './dataflow/worker-environment.ts';
import { AdHocQueries } from './deploy/ad-hoc-queries.ts';
import { withLedger } from './deploy/ledger-views.ts';
import { LimitedQueries } from './deploy/limited-queries.ts';
import { LogBackups } from './deploy/log-backups.ts';
import { LogKeeper } from './deploy/log-keeper.ts';
import { LogRetention } from './deploy/log-retention.ts';
import { missedChanges } from './deploy/missed-changes.ts';
import { ViewManager } from './deploy/view-manager.ts';
import { memoryByView, NO_STATE, soon } from './deploy/view-memory.ts';
import { viewPlanner } from './deploy/view-planner.ts';
import { followedViews } from './followed-views.ts';
import { AccessGuard } from './http/access.ts';
import { serverCloser } from './http/close-server.ts';
import type { HttpLimits, StatusSource } from './http/ports.ts';
import { createHttpServer } from './http/server.ts';
import { sinkDocument } from './http/sinks.ts';
import { sinceDocument } from './http/views.ts';
import { invoiceEntity } from './invoice/invoice-entity.ts';
import { kept, topicHandlers } from './kept-topics.ts';
import { openEmbeddedLog } from './log/embedded/embedded-log.ts';
import type { EventLog } from './log/event-log.ts';
import { incompleteTopics, kafkaFigures, replicationDocument, wantedTopics } from './replicated-topics.ts';
import { RunningTopology } from './running-topology.ts';
import { Sinks } from './sinks/sinks.ts';
import { closest } from './sql/suggest.ts';
import { configuredSinks, sunkViews } from './sunk-views.ts';

export interface StartOptions {
  readonly dataDir?: string | undefined;
  readonly viewsDir?: string | undefined;
  readonly pipelinesDir?: string | undefined;
  readonly host?: string | undefined;
  /** 0: any free port */
  readonly port?: number | undefined;
  /** required beyond loopback */
  readonly token?: string | null | undefined;
  /** lay down the sample history in an empty data folder */
  readonly sample?: boolean | undefined;
  /** ms; default now */
  readonly sampleUntil?: number | undefined;
  readonly watch?: boolean | undefined;
  /** bytes of operator state that all views together may have */
  readonly memoryBudget?: number | undefined;
  /** log problems only */
  readonly quiet?: boolean | undefined;
  /** write `server.json`, so that the command line finds this server */
  readonly announce?: boolean | undefined;
  readonly clock?: Clock | undefined;
  readonly onProgress?: ((text: string, fraction: number) => void) | undefined;
}

export interface RunningMillrace {
  readonly url: string;
  readonly log: EventLog;
  readonly views: ViewManager;
  readonly commands: Commands;
  /** resolves when every view is built and has seen all that is flushed now */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

const LIMITS: HttpLimits = {
  body: 4 * 1024 * 1024,
  page: 10_000,
  wait: 60_000,
  subscriptions: 2_000,
  backlog: 4 * 1024 * 1024,
};

/** of timers, ms: a longer one fires at once */
const LONGEST_TIMEOUT = 2 ** 31 - 1;
const SEAL_AFTER = 32_768;

/** Closes what was opened, the last first. */
class Opened {
  readonly #closes: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closes.push(close);
  }

  async close(): Promise<void> {
    for (let close = this.#closes.pop(); close !== undefined; close = this.#closes.pop()) await close();
  }
}

/** A whole Millrace; what was opened before something failed is closed again. */
export async function startMillrace(options: StartOptions = {}): Promise<RunningMillrace> {
  armFaultPoints(process.env.MILLRACE_FAULTS, () => process.kill(process.pid, 'SIGKILL'));
  const opened = new Opened();
  try {
    return await wire(options, opened);
  } catch (error) {
    await opened.close().catch(() => {}); // the first failure is the one to tell
    throw error;
  }
}

/** In the order of the data: log, commands, views, reactions, HTTP. */
async function wire(options: StartOptions, opened: Opened): Promise<RunningMillrace> {
  const pipelinesDir = resolve(options.pipelinesDir ?? join(projectRoot, 'pipelines'));
  const config = loadConfig(pipelinesDir, process.cwd());
  const clock = options.clock ?? systemClock;
  const dataDir = resolve(options.dataDir ?? config.dataFolder);
  const viewsDir = resolve(options.viewsDir ?? defaultViews(config));
  const logger = pino(
    { level: options.quiet ? 'warn' : 'info', base: null },
    process.stderr.isTTY ? humanLines() : pino.destination(2),
  );
  const report = (text: string): void => logger.error(text);

  makeDataFolder(dataDir);
  const log = await openEmbeddedLog({
    dir: logDir(dataDir),
    clock,
    sealAfter: SEAL_AFTER,
    onSealFailure: error => logger.error(error, 'sealing failed'),
  });
  opened.add(() => log.close());
  for (const line of log.recovery) logger.warn(line);
  const host = options.host ?? config.server.host;
  const port = options.port ?? config.server.port;
  const token = options.token ?? process.env.MILLRACE_TOKEN ?? null;
  await refuseAddress({ host, port, token });
  for (const topic of config.topics) if (!log.topic(topic.name)?.replicated) log.createTopic(topic);

  const onError = (error: unknown): void => logger.error(error);
  const shared = config.kafka !== null && config.kafka.commands !== null;
  // Kafka's client is loaded where it is used: it takes a while
  const kafkaNode = config.kafka === null ? null : await import('./kafka-node.ts');
  if (shared) kafkaNode?.prepareSharedTopics(log);
  const runtime = shared
    ? null
    : new CommandRuntime({ log, entity: invoiceEntity, ...config.commands.invoice, onError });
  opened.add(() => runtime?.close());
  if (runtime !== null && (options.sample ?? config.sample.enabled)) {
    await laySample(log, runtime, config, options, { clock, report: text => logger.warn(text) });
  }

  const extensions = [
    pathToFileURL(join(import.meta.dirname, 'invoice', 'invoice-extension.ts')).href,
    ...config.extensions,
  ];
  const { functions, upcasters } = await loadExtensions(extensions);
  const zone = config.views.zone;
  const memoryBudget = options.memoryBudget ?? config.memory.budget;
  logger.info(`the state of all views may take ${byteText(memoryBudget)} (memory.budget)`);
  const views = await ViewManager.start({
    dataDir,
    viewsDir,
    root: process.cwd(),
    log,
    clock,
    extensions,
    zone,
    memoryBudget,
    planner: viewPlanner({ functions, zone }),
    watch: options.watch ?? config.views.watch,
    report,
  });
  opened.add(() => views.stop());
  const missed = missedChanges({ dataDir, extensions, zone, plans: () => views.deployment.plans });
  const reactions = new Reactions({
    log,
    reactions: await loadReactions(config, dataDir),
    views: followedViews({ views, missed }),
  });
  opened.add(() => reactions.stop());
  reactions.start();
  const kafka =
    config.kafka === null || kafkaNode === null
      ? null
      : kafkaNode.startKafkaNode({
          config,
          kafka: config.kafka,
          log,
          clock,
          wanted: topics => wantedTopics(views.plans(), reactions.status(), topics),
          served: () => views.deployment.plans,
          report: text => logger.warn(text),
          onError,
        });
  opened.add(() => kafka?.stop());
  const commands = runtime ?? kafka?.commands ?? null;
  assert(commands !== null, 'commands are handled here or by all nodes');
  const sinks = new Sinks({
    sinks: await configuredSinks(config, { dataDir, env: process.env }),
    log,
    views: sunkViews({ log, views, missed, plans: () => views.deployment.plans }),
    report,
  });
  opened.add(() => sinks.stop());
  sinks.start();

  const keeper = new LogKeeper({
    log,
    clock,
    plans: () => views.plans(),
    building: () => views.deployment.job?.names ?? [],
    committed: () => views.deployment.committed,
    handlers: () => [
      ...topicHandlers(log, reactions.status(), views.plans()),
      ...(kafka?.outputs.handlers() ?? []),
    ],
    ...kept(config),
  });
  const retention = new LogRetention({ log, keeper, clock, topics: config.upkeep, report });
  opened.add(() => retention.stop());
  retention.start();

  const topology = new RunningTopology({
    ...{ log, clock, views, shared },
    reactions: () => reactions.status(),
    sinks: () => sinks.list(),
    replicated: () => kafka?.status().topics ?? [],
    outputs: () => kafka?.outputs.status() ?? [],
    waiting: () => kafka?.commandLag()?.reduce((sum, p) => sum + p.lag, 0) ?? null,
  });
  opened.add(() => topology.stop());
  topology.start();

  const started = clock.now();
  const positionAt = (seq: number) => positionToken({ log: log.id, seq });
  const status: StatusSource = {
    async status() {
      const sizes = await soon(views.deployment.sizes());
      const memory = sizes === null ? null : memoryByView(sizes);
      const replication = kafka?.status() ?? null;
      const lacking = incompleteTopics(replication);
      const reads = new Map(views.plans().map(p => [p.name, p.topics]));
      return {
        name: 'millrace',
        position: positionAt(views.position()),
        started: new Date(started).toISOString(),
        log: {
          id: log.id,
          start: log.start(),
          end: log.end(),
          clock: log.lastAppendTime(),
          recovery: log.recovery,
        },
        lag: log.end() - views.position(),
        memory: { budget: memoryBudget, state: sizes === null ? null : stateBytes(sizes) },
        views: views.list().map(v => ({
          ...v,
          position: v.position === null ? null : positionAt(v.position),
          ...(v.since === undefined ? {} : { since: sinceDocument({ token: positionAt }, v.since) }),
          memory: memory === null ? null : (memory.get(v.name) ?? NO_STATE),
          ...(lacking.size === 0 ? {} : { incomplete: reads.get(v.name)?.filter(t => lacking.has(t)) ?? [] }),
        })),
        errors: views.fileErrors(),
        reactions: reactions.status(),
        ...(replication === null
          ? {}
          : {
              kafka: {
                ...replicationDocument(replication, kafka?.commands?.partitions ?? null),
                outputs: kafka?.outputs.status() ?? [],
              },
            }),
        sinks: sinks.list().map(s => sinkDocument({ token: positionAt }, s)),
      };
    },
    notReady: () => views.notReady(),
    sizes: () => views.deployment.sizes(),
    memoryBudget,
    topology: () => topology.topology(),
    kafka: kafka === null ? undefined : () => kafkaFigures(kafka),
    ledger: () => views.deployment.ledger.counts(),
  };
  const http = await createHttpServer(
    {
      log,
      keeper,
      backups: new LogBackups(log, report),
      commands,
      views: withLedger(views, () => views.ledger()),
      queries: new LimitedQueries(new AdHocQueries({ views, log, clock, functions, upcasters, zone })),
      sinks,
      status,
      text: rowText,
      clock,
      suggest: closest,
      onError: (error, id) => logger.error({ err: error, id }, 'a request failed'),
    },
    { host, port, token, limits: LIMITS },
  );
  opened.add(serverCloser(http));
  await http.listen({ host, port });
  const address = http.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://${isIP(host) === 6 ? `[${host}]` : host}:${bound}`;
  if (options.announce ?? true) {
    const announcement = join(dataDir, 'server.json');
    opened.add(() => rmSync(announcement, { force: true }));
    writeFileSync(announcement, JSON.stringify({ pid: process.pid, url, token }), { mode: 0o600 });
  }

  return {
    url,
    log,
    views,
    commands,
    async caughtUp() {
      await views.settled();
      await views.waitFor(log.end(), LONGEST_TIMEOUT);
    },
    stop: () => opened.close(),
  };
}

/** Folder by folder: Node's own recursion never ends where a folder exists and refuses to hold another (as /proc). */
function makeFolder(path: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  mkdirSync(path);
}

function makeDataFolder(dataDir: string): void {
  try {
    makeFolder(dataDir);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const why =
      code === 'EEXIST' || code === 'ENOTDIR' ? 'it is a file, or lies in one' : (cause as Error).message;
    throw new MillraceError('config_invalid', `${dataDir} cannot be the data folder: ${why}`, {
      hint: 'name a folder that this user may write with --data',
      cause,
    });
  }
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
}

/** Says at once, before long work begins, that the server could not be reached where it is to listen. */
async function refuseAddress({ host, port, token }: Address): Promise<void> {
  new AccessGuard({ host, token });
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const why = LISTEN_FAILURES[cause.code ?? ''] ?? { reason: cause.message, hint: undefined };
      reject(
        new MillraceError('config_invalid', `cannot listen on ${host}:${port}: ${why.reason}`, {
          hint: why.hint,
          cause,
        }),
      );
    });
    probe.listen({ host, port }, () => probe.close(() => resolve()));
  });
}

const LISTEN_FAILURES: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> = {
  EADDRINUSE: {
    reason: 'the port is in use',
    hint: 'name another one with --port, or take any free one with --port 0',
  },
  EACCES: { reason: 'this user may not take the port', hint: 'name a port above 1023 with --port' },
  EADDRNOTAVAIL: { reason: 'this machine has no such address', hint: 'name 127.0.0.1 with --host' },
  ENOTFOUND: { reason: 'there is no such host', hint: 'name 127.0.0.1 with --host' },
};

/** A module that lays down a sample history: see `sample.module` in `pipelines/settings.yaml`. */
export interface SampleModule {
  /** what an earlier run has left */
  sampleState(log: EventLog): 'none' | 'partial' | 'done';
  layDownSample(options: {
    readonly log: EventLog;
    readonly commands: { handleAt(request: CommandRequest, appendTime: number): Settled };
    /** ms: the history ends here */
    readonly until: number;
    readonly seed: number;
    readonly onProgress?: ((done: number, total: number) => void) | undefined;
  }): Promise<unknown>;
}

async function laySample(
  log: EventLog,
  commands: Parameters<SampleModule['layDownSample']>[0]['commands'],
  config: Config,
  options: StartOptions,
  { clock, report }: { readonly clock: Clock; readonly report: (text: string) => void },
): Promise<void> {
  const { layDownSample, sampleState } = (await import(config.sample.module)) as SampleModule;
  const state = sampleState(log);
  if (state === 'done' || (state === 'none' && log.end() > 0)) {
    if (options.sampleUntil !== undefined) {
      report(
        '--sample-until is left out of account: the data folder has a history already (an empty --data has none)',
      );
    }
    return;
  }
  await layDownSample({
    log,
    commands,
    // a history that ends in the future would stop the clock of the log until then
    until: Math.min(options.sampleUntil ?? clock.now(), clock.now()),
    seed: config.sample.seed,
    onProgress: (done, total) =>
      options.onProgress?.('laying down the sample history', total === 0 ? 1 : done / total),
  });
}

async function loadReactions(config: Config, dataDir: string) {
  return Promise.all(
    config.reactions.map(async ({ module, settings }) => {
      const reaction = await importedFrom<ReactionModule['reaction']>(module, 'reaction');
      return reaction({ dataFolder: dataDir, settings });
    }),
  );
}

function humanLines() {
  return {
    write(line: string): void {
      const { level, msg, err } = JSON.parse(line) as {
        level: number;
        msg?: string;
        err?: { stack?: string };
      };
      const label = level >= 50 ? 'error: ' : level >= 40 ? 'warning: ' : '';
      process.stderr.write(`${label}${msg ?? ''}${err?.stack === undefined ? '' : `\n${err.stack}`}\n`);
    },
  };
}
