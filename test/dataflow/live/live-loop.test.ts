import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/dataflow/dataflow.ts';
import { Ledger } from '../../../src/dataflow/ledger.ts';
import { ViewFailure } from '../../../src/dataflow/view-failure.ts';
import type { DeploymentPlan } from '../../../src/plan/plan.ts';
import { Crash, foldedRows, planOf, randomOrders, SCRIPT, Scene } from './live-scene.ts';

describe('live views', () => {
  it('equal the reference fold after every epoch, committed or not', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    for (let i = 0; i < 12; i++) {
      await scene.orders(...randomOrders(i, 9));
      scene.catchUp();
      if (i % 3 === 1) await scene.commit();
      scene.expectExact(plan, `step ${i}`);
    }
  });

  it('go on after a restart where they were committed, and meet the rest of the log', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 20));
    scene.catchUp();
    await scene.commit();
    const committed = scene.loop.position;
    await scene.orders(...randomOrders(2, 20));
    scene.catchUp();
    scene.start();
    expect(scene.loop.position).toBe(committed);
    scene.expectExact(plan, 'right after the restart');
    scene.catchUp();
    scene.expectExact(plan, 'caught up');
  });

  it('are the same as without a crash, whichever write to the disk is the last one', async () => {
    const FEW = SCRIPT.slice(0, SCRIPT.indexOf('CREATE TABLE large_totals'));
    // the run without a crash tells how many moments there are
    const history = [1, 2, 3].map(seed => randomOrders(seed, 6));
    const run = async (crashAt: number): Promise<number> => {
      const scene = await Scene.open();
      let plan: DeploymentPlan | null = null;
      scene.crashAt = crashAt;
      const step = async (work: () => void | Promise<void>): Promise<void> => {
        try {
          await work();
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          scene.start();
          plan = scene.views.length === 0 ? null : plan;
        }
      };
      for (const [i, orders] of history.entries()) {
        await scene.orders(...orders);
        await step(() => {
          plan ??= scene.deploy(FEW);
          scene.catchUp();
        });
        await step(async () => {
          if (scene.loop.behindCommit) await scene.commit();
        });
        if (i === 1) await step(() => scene.start());
      }
      plan ??= scene.deploy(FEW);
      scene.catchUp();
      scene.expectExact(plan, `crash at write ${crashAt}`);
      return scene.writes;
    };
    const moments = await run(0);
    expect(moments).toBeGreaterThan(15);
    for (let at = 1; at <= moments; at++) await run(at);
  }, 120_000);

  it('count what did not reach them exactly once, crash or not', async () => {
    const counts = async (crash: boolean) => {
      const scene = await Scene.open();
      scene.deploy(SCRIPT);
      for (let i = 0; i < 6; i++) {
        await scene.orders(...randomOrders(i, 4));
        await scene.garbage(i + 1);
        scene.catchUp();
        if (i === 1 || i === 3) await scene.commit();
        if (crash && i > 0) scene.start();
        scene.catchUp();
      }
      const ledger = new Ledger();
      ledger.load(scene.loop.ledger);
      return [ledger.counts(), ledger.places('totals', 'undecodable').last.map(p => p.seq)] as const;
    };
    const [plain, places] = await counts(false);
    expect(plain.find(c => c.view === 'totals')).toMatchObject({ reason: 'undecodable', count: 21 });
    expect(places).toHaveLength(21);
    expect(await counts(true)).toEqual([plain, places]);
  });

  it('do not commit while readers or topics are behind', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 10));
    scene.catchUp();
    scene.shown = scene.loop.position - 1;
    expect(scene.loop.commit()).toBeNull();
    scene.shown = null;
    scene.written = scene.loop.position - 1;
    expect(scene.loop.commit()).toBeNull();
    expect(scene.loop.behindCommit).toBe(true);
    scene.written = null;
    await scene.commit();
    expect(scene.loop.behindCommit).toBe(false);
    scene.expectExact(plan, 'committed');
  });

  it('make up for a commit that failed with the next one, whichever write it was', async () => {
    for (let write = 1; write <= 3; write++) {
      const scene = await Scene.open();
      const plan = scene.deploy(SCRIPT);
      await scene.orders(...randomOrders(1, 20));
      scene.catchUp();
      scene.crashAt = scene.writes + write;
      await expect(scene.loop.commit()).rejects.toThrow(Crash);
      await scene.orders(...randomOrders(2, 20));
      scene.catchUp();
      await scene.commit();
      scene.start();
      scene.expectExact(plan, `failed at write ${write}`);
    }
  });

  it('cut their epochs where readers stand when a worker is started anew', async () => {
    const scene = await Scene.open();
    scene.deploy(SCRIPT);
    await scene.commit();
    await scene.orders(...randomOrders(1, 10));
    scene.shown = scene.loop.position + 4;
    scene.start();
    const from = scene.epochs.length;
    scene.catchUp();
    expect(scene.epochs.slice(from).map(e => e.position)).toEqual([scene.shown, scene.log.end()]);
  });
});

describe('the adoption of a build', () => {
  it('equals a view that was there from the start, wherever in the stream it happens', async () => {
    const [base = '', more = ''] = [SCRIPT.slice(0, SCRIPT.indexOf('CREATE STREAM large')), SCRIPT];
    for (let at = 0; at < 6; at++) {
      const scene = await Scene.open();
      scene.deploy(base);
      const whole = planOf(more);
      const fresh = whole.views.map(v => v.name).filter(n => n !== 'totals');
      await scene.orders(...randomOrders(7, 15));
      const build = scene.build(whole, fresh);
      while (!build.caughtUp) build.advance();
      await scene.orders(...randomOrders(8, at * 3));
      if (at % 2 === 0) scene.catchUp();
      const finished = build.finish();
      await scene.orders(...randomOrders(9, 5));
      if (at % 3 === 0) scene.catchUp();
      scene.adopt(whole, finished);
      scene.expectExact(whole, `adopted, case ${at}`);
      await scene.orders(...randomOrders(10, 5));
      scene.catchUp();
      scene.expectExact(whole, `after adoption, case ${at}`);
      await scene.commit();
      scene.start();
      await scene.orders(...randomOrders(11, 5));
      scene.catchUp();
      scene.expectExact(whole, `after a restart, case ${at}`);
    }
  });

  it('leaves the versions before it as they were until it is committed', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 10));
    scene.catchUp();
    await scene.commit();
    await scene.orders(...randomOrders(2, 10));
    scene.catchUp();
    const changed = planOf(SCRIPT.replace('amount > 50', 'amount > 90'));
    scene.adopt(changed, scene.built(changed, ['large', 'large_totals']));
    scene.expectExact(changed, 'adopted');
    scene.start();
    scene.catchUp();
    scene.expectExact(plan, 'started again without a commit');
  });

  it('retires views without touching the others', async () => {
    const scene = await Scene.open();
    scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 10));
    scene.catchUp();
    const left = planOf(SCRIPT.slice(0, SCRIPT.indexOf('CREATE STREAM large')));
    scene.adopt(left, null);
    await scene.orders(...randomOrders(2, 10));
    scene.catchUp();
    await scene.commit();
    scene.expectExact(left, 'retired');
    scene.start();
    scene.expectExact(left, 'after a restart');
  });

  it('fills a topic from history: what the build and its adoption give is every record once', async () => {
    const scene = await Scene.open();
    const plan = planOf(SCRIPT);
    await scene.orders(...randomOrders(1, 20));
    const build = scene.build(plan, undefined, ['large']);
    while (!build.caughtUp) build.advance();
    const filled = build.takeOutputs().flatMap(o => o.records);
    await scene.orders(...randomOrders(2, 10));
    const { outputs } = scene.adopt(plan, build.finish());
    const from = scene.epochs.length;
    await scene.orders(...randomOrders(3, 10));
    scene.catchUp();
    const live = scene.epochs.slice(from).flatMap(e => e.outputs.filter(o => o.view === 'large'));
    const all = [...filled, ...[...outputs, ...live].flatMap(o => o.records)];
    const large = foldedRows(plan, scene.log, scene.log.end()).get('large') ?? [];
    expect(large.length).toBeGreaterThan(5);
    expect(all.map(r => new TextDecoder().decode(r.key as Uint8Array))).toEqual(large.map(r => r.row[0]));
    expect(outputs.every(o => o.view === 'large')).toBe(true);
  });

  it('is refused without a trace when a built view goes wrong in it', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    const changed = planOf(SCRIPT.replace('amount > 50', 'amount > 90'));
    const build = scene.built(changed, ['large', 'large_totals']);
    await scene.orders(...randomOrders(2, 10));
    scene.catchUp();
    scene.breaking = p => (p === changed ? broken('large_totals', 0) : null);
    expect(() => scene.adopt(changed, build)).toThrow(ViewFailure);
    scene.breaking = () => null;
    await scene.orders(...randomOrders(3, 10));
    scene.catchUp();
    scene.expectExact(plan, 'refused');
  });
});

describe('a view that goes wrong', () => {
  it('stands still with its readers, the others go on, also after a restart', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 10));
    scene.catchUp();
    await scene.commit();
    await scene.orders(...randomOrders(2, 10));
    scene.catchUp();
    const stopped = scene.loop.position;
    const before = new Map(scene.views.map(v => [v, scene.rows(v)]));
    scene.breaking = p => (p.views.some(v => v.name === 'large') ? broken('large', stopped) : null);
    // the running engine does not know yet that it breaks
    scene.start();
    await scene.orders(...randomOrders(3, 10));
    scene.catchUp();
    expect(scene.faults.map(f => [f.view, f.fault.position])).toEqual([
      ['large', stopped],
      ['large_totals', stopped],
    ]);
    expect(scene.faults[0]?.fault.message).toBe('an operator throws');
    const check = (why: string): void => {
      const exact = foldedRows(plan, scene.log, scene.log.end());
      for (const name of ['totals', 'small']) {
        expect(scene.rows(name), `${why}: ${name}`).toEqual(exact.get(name));
      }
      for (const name of ['large', 'large_totals']) {
        expect(scene.rows(name), `${why}: ${name}`).toEqual(before.get(name));
      }
    };
    check('set aside');
    await scene.commit();
    check('committed');
    scene.start();
    expect(scene.loop.versions.filter(v => v.fault !== undefined).map(v => v.plan.name)).toEqual([
      'large',
      'large_totals',
    ]);
    check('after a restart');
    await scene.orders(...randomOrders(4, 10));
    scene.catchUp();
    check('later');
  });

  it('while a commit is on its way costs nothing that later commits stand on', async () => {
    const TABLES = SCRIPT.slice(0, SCRIPT.indexOf('CREATE TABLE frequent')).concat(
      'CREATE VIEW small AS SELECT id, amount FROM orders WHERE amount <= 50;',
    );
    // one of these commits is the one by which every group has come by again
    for (let last = 5; last <= 7; last++) {
      const scene = await Scene.open();
      const plan = scene.deploy(TABLES);
      await scene.orders(...Array.from({ length: 3_000 }, (_, i) => [`o${i}`, `c${i}`, 60] as const));
      scene.catchUp();
      await scene.commit();
      for (let k = 1; k < last; k++) {
        await scene.orders([`p${k}`, 'c1', 60]);
        scene.catchUp();
        await scene.commit();
      }
      await scene.orders(['q', 'c2', 60]);
      scene.catchUp();
      const committed = scene.commit();
      scene.loop.giveUp({ view: 'small', position: scene.loop.position, message: 'too slow' });
      await committed;
      await scene.orders(['r', 'c3', 60]);
      scene.catchUp();
      await scene.commit();
      scene.start();
      await scene.orders(['s', 'c2', 60]);
      scene.catchUp();
      const exact = foldedRows(plan, scene.log, scene.log.end());
      for (const name of ['totals', 'large_totals']) {
        expect(scene.rows(name), `${name} after ${last} commits`).toEqual(exact.get(name));
      }
    }
  });

  it('while the commit of an adoption is on its way counts nothing twice when another one does later', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 10));
    scene.catchUp();
    await scene.commit();
    scene.adopt(plan, scene.built(plan, ['later']));
    await scene.orders(...randomOrders(2, 10));
    scene.catchUp();
    const committed = scene.commit();
    scene.loop.giveUp({ view: 'small', position: scene.loop.position, message: 'too slow' });
    await committed;
    scene.loop.giveUp({ view: 'later', position: scene.loop.position, message: 'too slow' });
    await scene.orders(...randomOrders(3, 10));
    scene.catchUp();
    const exact = foldedRows(plan, scene.log, scene.log.end());
    for (const name of ['totals', 'large_totals', 'frequent']) {
      expect(scene.rows(name), name).toEqual(exact.get(name));
    }
  });

  it('when the commit of an adoption is on the disk, before the news of it, counts nothing twice', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 10));
    scene.catchUp();
    await scene.commit();
    scene.adopt(plan, scene.built(plan, ['later']));
    await scene.orders(...randomOrders(2, 10));
    scene.catchUp();
    const { position } = scene.loop;
    scene.beforeNews = () => {
      scene.beforeNews = () => {};
      scene.loop.giveUp({ view: 'small', position, message: 'too slow' });
    };
    await scene.commit();
    expect(scene.faults.map(f => f.view)).toEqual(['small']);
    await scene.orders(...randomOrders(3, 10));
    scene.catchUp();
    const exact = foldedRows(plan, scene.log, scene.log.end());
    for (const name of ['totals', 'large_totals', 'frequent', 'later']) {
      expect(scene.rows(name), name).toEqual(exact.get(name));
    }
  });

  it('lives again when it is rebuilt', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    scene.breaking = p => (p.views.some(v => v.name === 'large') ? broken('large', 0) : null);
    await scene.commit();
    scene.start();
    await scene.orders(...randomOrders(3, 10));
    scene.catchUp();
    expect(scene.faults.length).toBe(2);
    scene.breaking = () => null;
    scene.faults.length = 0;
    scene.adopt(plan, scene.built(plan, ['large', 'large_totals']));
    await scene.orders(...randomOrders(4, 10));
    scene.catchUp();
    scene.expectExact(plan, 'rebuilt');
  });

  it('is left out at the start when its file is gone, its readers stand still; the others go on', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 10));
    scene.catchUp();
    await scene.commit();
    const readers = scene.rows('large_totals');
    const large = scene.loop.versions.find(v => v.plan.name === 'large');
    await scene.forget(large?.version ?? '');
    scene.start();
    expect([...scene.views].sort()).toEqual(['frequent', 'large_totals', 'later', 'small', 'totals']);
    expect(scene.loop.versions.filter(v => v.fault?.rebuild).map(v => v.plan.name)).toEqual(['large_totals']);
    expect(scene.rows('large_totals')).toEqual(readers);
    expect(scene.warnings.join('\n')).toMatch(/large .*its file is gone/);
    await scene.orders(...randomOrders(2, 10));
    scene.catchUp();
    scene.adopt(plan, scene.built(plan, ['large', 'large_totals']));
    scene.expectExact(plan, 'built again');
  });

  it('whose state cannot be used keeps its rows until it is rebuilt', async () => {
    const scene = await Scene.open();
    const plan = scene.deploy(SCRIPT);
    await scene.orders(...randomOrders(1, 10));
    scene.catchUp();
    await scene.commit();
    const rows = scene.rows('totals');
    scene.breaking = p => (p.views.some(v => v.name === 'totals') ? unusable('totals') : null);
    scene.start();
    expect(scene.loop.versions.filter(v => v.fault !== undefined)).toMatchObject([
      { plan: { name: 'totals' }, fault: { rebuild: true, message: 'state of format 0' } },
    ]);
    expect(scene.rows('totals')).toEqual(rows);
    scene.breaking = () => null;
    scene.adopt(plan, scene.built(plan, ['totals']));
    await scene.orders(...randomOrders(2, 10));
    scene.catchUp();
    scene.expectExact(plan, 'rebuilt');
  });
});

/** An engine that cannot take the state of a view. */
function unusable(view: string): (engine: Engine) => Engine {
  return engine => ({
    ...broken(view, Number.POSITIVE_INFINITY)(engine),
    restore: () => {
      throw new ViewFailure(view, new Error('state of format 0'));
    },
  });
}

/** An engine that throws in one view once it is asked to go beyond a position. */
function broken(view: string, from: number): (engine: Engine) => Engine {
  return engine => ({
    get position() {
      return engine.position;
    },
    step: block => {
      if (block.firstSeq + block.n > from) throw new ViewFailure(view, new Error('an operator throws'));
      return engine.step(block);
    },
    orderDecoded: () => engine.orderDecoded(),
    deadline: () => engine.deadline(),
    snapshot: () => engine.snapshot(),
    track: neededFrom => engine.track(neededFrom),
    untrack: () => engine.untrack(),
    takeOver: () => false,
    changes: commit => engine.changes(commit),
    restore: (parts, position) => engine.restore(parts, position),
    stateSize: () => engine.stateSize(),
  });
}
