import { describe, expect, it } from 'vitest';
import type { ShadowBuild } from '../../../src/dataflow/build/shadow-build.ts';
import type { Engine } from '../../../src/dataflow/dataflow.ts';
import { ViewFailure } from '../../../src/dataflow/view-failure.ts';
import {
  type ChangeLimit,
  JOIN_LIMIT,
  TooManyChanges,
  WINDOW_LIMIT,
} from '../../../src/operators/change-builder.ts';
import type { DeploymentPlan } from '../../../src/plan/plan.ts';
import { planOf, randomOrders, SCRIPT, Scene } from '../live/live-scene.ts';

interface Refusal {
  /** epochs of more records that reach beyond `from` change too many rows */
  readonly most: number;
  readonly from?: number;
  readonly limit?: ChangeLimit;
}

/** Engines of a view that cannot take many records at once, as a join of very many rows. */
function refusing({ most, from = 0, limit = JOIN_LIMIT }: Refusal) {
  const refuse = (engine: Engine): Engine =>
    new Proxy(engine, {
      get(target, name) {
        if (name === 'takeOver') return () => false;
        if (name === 'step') {
          return ((block): ReturnType<Engine['step']> => {
            if (block.n > most && block.firstSeq + block.n > from) {
              throw new ViewFailure('large', new TooManyChanges(limit));
            }
            return target.step(block);
          }) satisfies Engine['step'];
        }
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return (plan: DeploymentPlan) => (plan.views.some(v => v.name === 'large') ? refuse : null);
}

function finished(build: ShadowBuild) {
  const records: unknown[] = [];
  while (!build.caughtUp) {
    build.advance();
    records.push(...build.takeOutputs().flatMap(o => o.records));
  }
  const { position, ledger } = build.finish();
  return { position, ledger, records };
}

describe('a view that changes too many rows with the records of an epoch', () => {
  it('is built with fewer at a time', async () => {
    const scene = await Scene.open();
    await scene.orders(...randomOrders(1, 3_000));
    scene.breaking = refusing({ most: 500, from: 2_000 });
    const plan = scene.deploy(SCRIPT);
    expect(scene.loop.position).toBe(3_000);
    scene.expectExact(plan, 'built');
  });

  it('writes its topic and its ledger once', async () => {
    const scene = await Scene.open();
    const plan = planOf(SCRIPT);
    await scene.garbage(3);
    await scene.orders(...randomOrders(2, 3_000));
    const names = plan.views.map(v => v.name);
    const plain = finished(scene.build(plan, names, ['large']));
    expect(plain.records.length).toBeGreaterThan(1_000);
    scene.breaking = refusing({ most: 100, from: 2_000 });
    expect(finished(scene.build(plan, names, ['large']))).toEqual(plain);
  });

  it('fails when a single record is too much, and at once when fewer at a time would not help', async () => {
    const scene = await Scene.open();
    const plan = planOf(SCRIPT);
    await scene.orders(...randomOrders(3, 100));
    const tooMuch = /change more than/;
    scene.breaking = refusing({ most: 0 });
    expect(() => scene.built(plan)).toThrow(tooMuch);
    scene.breaking = refusing({ most: 10, limit: WINDOW_LIMIT });
    expect(() => scene.built(plan)).toThrow(tooMuch);
  });

  it('goes on live when it begins again from the last commit, whose records were read in smaller epochs', async () => {
    const scene = await Scene.open();
    scene.breaking = refusing({ most: 500 });
    const plan = scene.deploy(SCRIPT);
    for (const seed of [4, 5]) {
      await scene.orders(...randomOrders(seed, 1_500));
      scene.catchUp();
    }
    expect(scene.faults).toEqual([]);
    scene.expectExact(plan, 'live');
  });

  it('is adopted although much was written since its build ended', async () => {
    const scene = await Scene.open();
    scene.breaking = refusing({ most: 500 });
    const plan = planOf(SCRIPT);
    const build = scene.built(plan);
    await scene.orders(...randomOrders(6, 1_500));
    scene.catchUp();
    scene.adopt(plan, build);
    scene.expectExact(plan, 'adopted');
    // begins again from the adoption, which is not committed
    await scene.orders(...randomOrders(7, 1_500));
    scene.catchUp();
    expect(scene.faults).toEqual([]);
    scene.expectExact(plan, 'went on');
  });
});
