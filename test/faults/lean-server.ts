import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import type { Reaction } from '../../src/commands/reaction.ts';
import { Reactions } from '../../src/commands/reactions.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { LogRecord } from '../../src/core/log-record.ts';
import { loadExtensions } from '../../src/dataflow/extension.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { ViewManager } from '../../src/deploy/view-manager.ts';
import { viewPlanner } from '../../src/deploy/view-planner.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { CHANGING, leanViews } from './lean-views.ts';

export const EXTENSIONS = [new URL('../../src/invoice/invoice-extension.ts', import.meta.url).href];
export const ZONE = 'UTC';
export const PRODUCED = ['attempts', 'cards', 'lines'];

export const viewsDirOf = (dir: string): string => join(dir, 'views');

/** Writes the view files anew; what a kill leaves half done has another ending. */
export function writeViews(dir: string, least: number): void {
  mkdirSync(join(viewsDirOf(dir), 'sources'), { recursive: true });
  for (const [name, text] of leanViews(least)) {
    const path = join(viewsDirOf(dir), `${name}.sql`);
    if (existsSync(path) && name !== CHANGING) continue;
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }
}

export interface LeanServer {
  readonly log: EventLog;
  readonly views: ViewManager;
  readonly commands: CommandRuntime<never, never, never>;
  readonly reports: readonly string[];
  stop(): Promise<void>;
}

export interface LeanOptions {
  readonly dir: string;
  readonly clock: Clock;
  /** hears of every record of the topic `payments`, at least once */
  readonly reacts: (seq: number) => void;
  readonly onReport?: ((text: string) => void) | undefined;
}

/** Log, commands, views and a reaction over a data folder, as `main.ts` has them, without HTTP and configuration. */
export async function startLean({ dir, clock, reacts, onReport }: LeanOptions): Promise<LeanServer> {
  const reports: string[] = [];
  const report = (text: string): void => {
    reports.push(text);
    onReport?.(text);
  };
  const log = await openEmbeddedLog({
    dir: logDir(dir),
    clock,
    sealAfter: 192,
    onSealFailure: e => report(String(e)),
  });
  for (const line of log.recovery) report(line);
  for (const name of PRODUCED) log.createTopic({ name, partitions: 1, keyIndex: false });
  const commands = new CommandRuntime({
    log,
    entity: invoiceEntity,
    keepResultsFor: 1e12,
    onError: e => report(`commands: ${e instanceof Error ? e.stack : String(e)}`),
  });
  const { functions } = await loadExtensions(EXTENSIONS);
  const views = await ViewManager.start({
    dataDir: dir,
    viewsDir: viewsDirOf(dir),
    root: dir,
    log,
    clock,
    extensions: EXTENSIONS,
    zone: ZONE,
    memoryBudget: Number.POSITIVE_INFINITY,
    planner: viewPlanner({ functions, zone: ZONE }),
    watch: false,
    report,
  });
  const reaction: Reaction = {
    name: 'seen',
    topic: 'payments',
    from: 'beginning',
    handle: (r: LogRecord) => reacts(r.seq),
  };
  const reactions = new Reactions({ log, reactions: [reaction] });
  reactions.start();
  return {
    log,
    views,
    commands: commands as unknown as LeanServer['commands'],
    reports,
    async stop() {
      await reactions.stop();
      await views.stop();
      commands.close();
      await log.close();
    },
  };
}
