import { describe, expect, it } from 'vitest';
import type { ViewFault } from '../../src/dataflow/live/epoch-output.ts';
import { WantedBuilds } from '../../src/deploy/wanted-builds.ts';
import type { ViewPlan } from '../../src/plan/plan.ts';

/** `name@version: what it reads`; the fingerprint counts what is below, as that of a plan does. */
function plans(...texts: string[]): ViewPlan[] {
  const prints = new Map<string, string>();
  return texts.map(text => {
    const [head = '', below = ''] = text.split(':');
    const reads = below.split(' ').filter(Boolean);
    const name = head.split('@')[0] ?? '';
    const fingerprint = `${head}(${reads.map(r => prints.get(r)).join()})`;
    prints.set(name, fingerprint);
    return { name, reads, fingerprint } as unknown as ViewPlan;
  });
}

/** What is served; `faulty` views stand still. */
function served(views: readonly ViewPlan[], ...faulty: string[]) {
  return {
    plans: views,
    served(name: string) {
      const plan = views.find(v => v.name === name);
      return plan && { plan, fault: faulty.includes(name) ? { message: 'a fault', position: 1 } : null };
    },
  };
}

function plansNamed(views: readonly ViewPlan[], name: string, fault: ViewFault) {
  const plan = views.find(v => v.name === name);
  return plan && { plan, fault };
}

const next = (builds: WantedBuilds, planned: ViewPlan[], now: ReturnType<typeof served>) =>
  builds.next(planned, now).names;

describe('wanted builds', () => {
  it('are what is new or changed, with what reads it', () => {
    const builds = new WantedBuilds();
    const old = plans('a@1', 'b@1:a', 'c@1');
    expect(next(builds, old, served([]))).toEqual(['a', 'b', 'c']);
    expect(next(builds, old, served(old))).toEqual([]);
    expect(next(builds, plans('a@2', 'b@1:a', 'c@1', 'd@1'), served(old))).toEqual(['a', 'b', 'd']);
  });

  it('are replays with their dependents, until they are adopted', () => {
    const builds = new WantedBuilds();
    const views = plans('a@1', 'b@1:a', 'c@1');
    builds.replay('a');
    expect(next(builds, views, served(views))).toEqual(['a', 'b']);
    builds.ended(views.slice(0, 2), { type: 'adopted' });
    expect(next(builds, views, served(views))).toEqual([]);
  });

  it('leave out a view whose build failed and those that read it, until it changes', () => {
    const builds = new WantedBuilds();
    const views = plans('a@1', 'b@1:a', 'c@1');
    builds.ended(views, { type: 'failed', view: 'a', message: 'boom' });
    expect(next(builds, views, served([]))).toEqual(['c']);
    expect(builds.failure(views[0] as ViewPlan)).toBe('the build failed: boom');
    expect(builds.failure(views[1] as ViewPlan)).toBe('it reads a, whose build failed: boom');
    expect(next(builds, plans('a@2', 'b@1:a', 'c@1'), served([]))).toEqual(['a', 'b', 'c']);
  });

  it('hold a change back while a served reader of it cannot be rebuilt', () => {
    const builds = new WantedBuilds();
    const old = plans('a@1', 'b@1:a');
    const changed = plans('a@2', 'b@1:a');
    builds.ended(changed, { type: 'failed', view: 'b', message: 'boom' });
    const { names, held } = builds.next(changed, served(old));
    expect(names).toEqual([]);
    expect([...held]).toEqual([['a', 'b']]);
    // a reader that stands still anyway holds nothing
    expect(next(builds, changed, served(old, 'b'))).toEqual(['a']);
  });

  it('bring along what stands still below a view that is to be built', () => {
    const builds = new WantedBuilds();
    const old = plans('a@1');
    expect(next(builds, plans('a@1', 'b@1:a'), served(old, 'a'))).toEqual(['a', 'b']);
    expect(next(builds, old, served(old, 'a'))).toEqual([]);
  });

  it('are what stands still only because its state could not be used', () => {
    const builds = new WantedBuilds();
    const views = plans('a@1', 'b@1:a');
    const fault = { message: 'its state is of another format', position: 1, rebuild: true };
    const now = { plans: views, served: (name: string) => plansNamed(views, name, fault) };
    expect(builds.next(views, now).names).toEqual(['a', 'b']);
  });

  it('go one by one after a failure that names no view, and only the culprit fails', () => {
    const builds = new WantedBuilds();
    const views = plans('a@1', 'b@1:a', 'c@1');
    builds.ended(views, { type: 'failed', view: null, message: 'boom' });
    expect(next(builds, views, served([]))).toEqual(['a']);
    builds.ended(views.slice(0, 1), { type: 'adopted' });
    expect(next(builds, views, served(views.slice(0, 1)))).toEqual(['b']);
    builds.ended(views.slice(1, 2), { type: 'failed', view: null, message: 'boom' });
    expect(next(builds, views, served(views.slice(0, 1)))).toEqual(['c']);
    expect(builds.failure(views[1] as ViewPlan)).toBe('the build failed: boom');
  });

  it('are tried again after an interruption, but not for ever', () => {
    const builds = new WantedBuilds();
    const views = plans('a@1');
    for (let i = 0; i < 2; i++) {
      builds.ended(views, { type: 'interrupted' });
      expect(next(builds, views, served([]))).toEqual(['a']);
    }
    builds.ended(views, { type: 'interrupted' });
    expect(next(builds, views, served([]))).toEqual([]);
    builds.replay('a');
    expect(next(builds, views, served([]))).toEqual(['a']);
  });

  it('that a user cancelled begin again on request only', () => {
    const builds = new WantedBuilds();
    const views = plans('a@1');
    builds.stopped(views[0] as ViewPlan, true);
    builds.ended(views, { type: 'cancelled' });
    expect(next(builds, views, served([]))).toEqual([]);
    builds.replay('a');
    expect(next(builds, views, served([]))).toEqual(['a']);
  });
});
