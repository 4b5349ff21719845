import type { MillraceError } from '../core/errors.ts';
import type { SourceSpec, ViewPlan } from '../plan/plan.ts';

/** A file of `views/` as it stands now. */
export interface ViewFileText {
  /** base name without `.sql`: the view's name; null for files that only declare sources */
  readonly name: string | null;
  /** path as shown to the user */
  readonly file: string;
  readonly text: string;
  /** why the file holds no text that can be planned: `it is not UTF-8 text` */
  readonly unreadable?: string | undefined;
}

/** What the files say, planned as far as they are right. */
export interface PlannedViews {
  readonly sources: readonly SourceSpec[];
  /** in an order in which each view follows what it reads */
  readonly views: readonly ViewPlan[];
  /** by file path */
  readonly errors: ReadonlyMap<string, readonly MillraceError[]>;
}

export type Planner = (files: readonly ViewFileText[]) => PlannedViews;

/** Orders plans so that each follows what it reads; names that are not among them are left out of account. */
export function inReadOrder(views: readonly ViewPlan[]): ViewPlan[] {
  const byName = new Map(views.map(v => [v.name, v]));
  const ordered = new Set<ViewPlan>();
  const visit = (view: ViewPlan): void => {
    if (ordered.has(view)) return;
    for (const read of view.reads) {
      const upstream = byName.get(read);
      if (upstream !== undefined && upstream !== view) visit(upstream);
    }
    ordered.add(view);
  };
  for (const view of views) visit(view);
  return [...ordered];
}

/** The views that a view reads, directly and through others, itself included. */
export function withUpstream(names: Iterable<string>, views: readonly ViewPlan[]): ViewPlan[] {
  const byName = new Map(views.map(v => [v.name, v]));
  const found = new Set<string>();
  const visit = (name: string): void => {
    const view = byName.get(name);
    if (view === undefined || found.has(name)) return;
    found.add(name);
    for (const read of view.reads) visit(read);
  };
  for (const name of names) visit(name);
  return inReadOrder(views.filter(v => found.has(v.name)));
}

/** The views that read one of these, directly and through others, themselves left out. */
export function dependents(names: ReadonlySet<string>, views: readonly ViewPlan[]): Set<string> {
  const found = new Set<string>();
  let grown = true;
  while (grown) {
    grown = false;
    for (const view of views) {
      if (found.has(view.name) || names.has(view.name)) continue;
      if (view.reads.some(r => names.has(r) || found.has(r))) {
        found.add(view.name);
        grown = true;
      }
    }
  }
  return found;
}
