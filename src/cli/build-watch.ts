import type { ViewStatus } from '../deploy/view-access.ts';

export interface BuildState {
  readonly text: string;
  /** 0..1 */
  readonly fraction: number;
}

/** How far the running build is; null when nothing is being built. */
export function buildFraction(views: readonly ViewStatus[]): BuildState | null {
  const building = views.filter(v => v.state === 'building');
  const [first] = building;
  if (first === undefined) return null;
  const what = building.length === 1 ? first.name : `${building.length} views`;
  const build = building.find(v => v.build !== null)?.build ?? null;
  if (build === null) return { text: `building ${what}`, fraction: 0 };
  const of = `${build.position - build.from} of ${build.target - build.from} records`;
  return { text: `building ${what}: ${of}`, fraction: build.fraction };
}

/**
 * What an operator is told when the views go from one state to another: built, broken, mended, gone.
 * A view that was never seen before counts as new.
 */
export function viewNews(before: readonly ViewStatus[], now: readonly ViewStatus[]): readonly string[] {
  const known = new Map(before.map(v => [v.name, v]));
  const lines: string[] = [];
  const built: string[] = [];
  for (const view of now) {
    const was = known.get(view.name);
    known.delete(view.name);
    const isLive = view.state === 'live';
    if (isLive && was?.state !== 'live') built.push(view.name);
    if (view.state === 'failed' && view.errors.join() !== was?.errors.join()) {
      lines.push(...view.errors, servedYet(view));
    }
    for (const notice of view.notices) {
      if (!was?.notices.includes(notice)) lines.push(`${view.name}: ${notice}`);
    }
  }
  if (built.length > 0)
    lines.unshift(`${nameList(built)} ${built.length === 1 ? 'is' : 'are'} built and served`);
  if (known.size > 0) lines.push(`${nameList([...known.keys()])} ${known.size === 1 ? 'is' : 'are'} gone`);
  return lines;
}

function servedYet({ name, serving }: ViewStatus): string {
  return serving ? `${name}: the last good version goes on serving` : `${name}: nothing is served`;
}

function nameList(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.length} views`;
}
