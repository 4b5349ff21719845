import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ShadowBuild } from '../src/dataflow/build/shadow-build.ts';
import type { PublishedEpoch } from '../src/dataflow/live/epoch-output.ts';
import { LiveLoop } from '../src/dataflow/live/live-loop.ts';
import { SharedPositions } from '../src/dataflow/live/protocol.ts';
import { openWorkerEnvironment } from '../src/dataflow/worker-environment.ts';
import type { DeploymentPlan } from '../src/plan/plan.ts';

export interface Replayed {
  readonly position: number;
  readonly sizes: ReturnType<LiveLoop['stateSize']>;
}

const SLICE = 25; // ms, as the build worker

/**
 * Replays the log of a data folder into views as a shadow build does: rows into the files of the views, then adoption
 * and the commit that makes state, rows and position durable. In one thread, with the modules of the two workers.
 */
export async function checkpointedReplay(
  dataDir: string,
  plan: DeploymentPlan,
  onPosition: (position: number) => void = () => {},
): Promise<Replayed> {
  rmSync(join(dataDir, 'state'), { recursive: true, force: true });
  const environment = await openWorkerEnvironment({
    dataDir,
    extensions: [],
    zone: 'UTC',
    memoryBudget: Number.POSITIVE_INFINITY,
    shared: SharedPositions.allocate(),
  });
  let published: PublishedEpoch | null = null;
  const live = LiveLoop.recover({
    ...environment,
    journal: environment.openJournal(),
    publish: epoch => {
      published = epoch;
    },
    setAside: faults => {
      throw new Error(`views went wrong: ${JSON.stringify(faults)}`);
    },
    shown: () => published?.position ?? Number.MAX_SAFE_INTEGER,
    written: () => Number.MAX_SAFE_INTEGER,
    warn: text => {
      throw new Error(text);
    },
  });
  const built = plan.views.map(view => ({ plan: view, version: view.name, text: view.sql }));
  const build = new ShadowBuild(environment, { plan, built, fillTopics: [] });
  while (!build.caughtUp || build.waits) {
    build.check();
    const until = performance.now() + SLICE;
    while (!build.caughtUp && !build.waits && performance.now() < until) build.advance();
    onPosition(build.position);
    await new Promise(resolve => setImmediate(resolve));
  }
  live.adopt(plan, build.finish());
  const committed = live.commit();
  if (committed === null) throw new Error('the commit was put off');
  await committed;
  const replayed = { position: live.position, sizes: live.stateSize() };
  await live.close();
  await environment.log.close();
  return replayed;
}
