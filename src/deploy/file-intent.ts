import type { MillraceError } from '../core/errors.ts';
import type { ViewPlan } from '../plan/plan.ts';
import { dependents, type PlannedViews, type Planner, type ViewFileText } from './planned-views.ts';

/** What the files ask for, after what must not break has been kept. */
export interface Intent {
  /** the views that shall be live; `errors` are those of the files as they are now */
  readonly planned: PlannedViews;
  readonly files: ReadonlyMap<string, ViewFileText>;
  /** by view: facts for its status */
  readonly notices: ReadonlyMap<string, readonly string[]>;
}

export interface Served {
  readonly plans: readonly ViewPlan[];
  /** the file text that a served version was made from */
  text(name: string): string | undefined;
}

/**
 * Plans the files so that nothing that is served breaks (design, law 6):
 * 1. a broken file is planned from its last good text, if it has one, and so is a removed one;
 * 2. a file that only fails because of what it reads comes right with these texts beside it;
 * 3. a removed view stays as long as others read it, unless they can read a source of its name;
 * 4. a change waits while a served view that reads it is broken, since that one's last good version reads the old rows.
 */
export function settleFiles(files: readonly ViewFileText[], served: Served, planner: Planner): Intent {
  const notices = new Map<string, string[]>();
  const notice = (view: string, text: string): void => {
    notices.set(view, [...(notices.get(view) ?? []), text]);
  };
  const { base, errors } = withStandIns(files, served, planner);

  const isFile = (name: string) => files.some(f => sameName(f.name, name));
  const removed = new Set(served.plans.map(p => p.name).filter(n => !isFile(n)));
  const everything = planner(base);
  const kept = new Set(removed);
  // what INSERT INTO fed is a source again
  const isDeclared = (name: string) =>
    planner(base.filter(f => !sameName(f.name, name))).sources.some(s => sameName(s.name, name));
  for (const name of removed) {
    const readers = [...dependents(new Set([name]), everything.views)].filter(n => !removed.has(n));
    if (readers.length === 0 || isDeclared(name)) kept.delete(name);
    else notice(name, `the file was removed, but the view is kept: read by ${readers.join(', ')}`);
  }
  const planned = planner(
    base.filter(f => f.name === null || isFile(f.name) || [...kept].some(k => sameName(f.name, k))),
  );

  const broken = new Set(
    served.plans.map(p => p.name).filter(n => files.some(f => sameName(f.name, n) && errors.has(f.file))),
  );
  const views = planned.views.map(view => {
    const live = served.plans.find(p => p.name === view.name);
    if (live === undefined || live.fingerprint === view.fingerprint) return view;
    if (broken.has(view.name)) return live;
    const held = [...dependents(new Set([view.name]), served.plans)].filter(n => broken.has(n));
    if (held.length === 0) return view;
    notice(view.name, `the change waits: ${held.join(', ')} reads this view and has errors`);
    return live;
  });
  // a view whose last good text cannot be planned any more (its source changed) goes on with the plan it has
  for (const live of served.plans) {
    const gone = removed.has(live.name) && !kept.has(live.name);
    if (!gone && !views.some(v => v.name === live.name)) views.push(live);
  }
  return {
    planned: { sources: planned.sources, views, errors },
    files: new Map(files.map(f => [f.file, f])),
    notices,
  };
}

/** The texts that plan best, and the errors of the files as they are. */
function withStandIns(
  files: readonly ViewFileText[],
  served: Served,
  planner: Planner,
): {
  readonly base: readonly ViewFileText[];
  readonly errors: ReadonlyMap<string, readonly MillraceError[]>;
} {
  const first = planner(files).errors;
  const errors = new Map([...first].filter(([, list]) => list.length > 0));
  const isBad = (f: ViewFileText) => f.name !== null && errors.has(f.file);
  const standIns = served.plans
    .filter(p => !files.some(f => sameName(f.name, p.name) && !isBad(f)))
    .flatMap(p => {
      const text = served.text(p.name);
      return text === undefined ? [] : [{ name: p.name, file: `${p.name}.sql (last good version)`, text }];
    });
  let base: ViewFileText[] = [...files.filter(f => !isBad(f)), ...standIns];
  let waiting = files.filter(isBad);
  for (let progress = true; progress; ) {
    progress = false;
    for (const file of waiting) {
      const trial = [...base.filter(f => !sameName(f.name, file.name)), file];
      const found = planner(trial).errors.get(file.file) ?? [];
      if (found.length > 0) {
        // alone, a file of a circle only lacks what it reads
        if (!first.get(file.file)?.some(e => e.code === 'cyclic_views')) errors.set(file.file, found);
        continue;
      }
      base = trial;
      errors.delete(file.file);
      waiting = waiting.filter(f => f !== file);
      progress = true;
    }
  }
  return { base, errors };
}

function sameName(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a.toLowerCase() === b.toLowerCase();
}
