import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/errors.ts';
import { settleFiles } from '../../src/deploy/file-intent.ts';
import type { Planner, ViewFileText } from '../../src/deploy/planned-views.ts';
import { inReadOrder } from '../../src/deploy/planned-views.ts';
import type { ViewPlan } from '../../src/plan/plan.ts';

/** A toy dialect: `reads a b; version` — broken when it contains `?` or reads an unknown view. */
const planner: Planner = files => {
  const errors = new Map<string, MillraceError[]>();
  const bad = new Set<string>();
  const parsed = files.map(f => {
    const [reads = '', version = ''] = f.text.split(';');
    return { file: f, name: f.name ?? '', reads: reads.split(' ').filter(Boolean), version };
  });
  for (const p of parsed) {
    if (p.file.text.includes('?')) {
      errors.set(p.file.file, [new MillraceError('syntax_error', 'broken')]);
      bad.add(p.name);
    }
  }
  for (let again = true; again; ) {
    again = false;
    for (const p of parsed) {
      if (bad.has(p.name)) continue;
      const missing = p.reads.find(r => bad.has(r) || !parsed.some(q => q.name === r));
      if (missing === undefined) continue;
      errors.set(p.file.file, [new MillraceError('unknown_source', `unknown ${missing}`)]);
      bad.add(p.name);
      again = true;
    }
  }
  const fingerprint = (name: string): string => {
    const p = parsed.find(q => q.name === name);
    return p === undefined ? '' : `${name}${p.version}(${p.reads.map(fingerprint).join()})`;
  };
  const views = parsed
    .filter(p => !bad.has(p.name))
    .map(
      p =>
        ({
          name: p.name,
          reads: p.reads,
          fingerprint: fingerprint(p.name),
          sql: p.file.text,
        }) as unknown as ViewPlan,
    );
  return { sources: [], views: inReadOrder(views), errors };
};

const files = (texts: Record<string, string>): ViewFileText[] =>
  Object.entries(texts).map(([name, text]) => ({ name, file: `${name}.sql`, text }));

function settle(before: Record<string, string>, now: Record<string, string>) {
  const live = planner(files(before)).views;
  const intent = settleFiles(files(now), { plans: live, text: name => before[name] }, planner);
  const served = new Map(live.map(v => [v.name, v.fingerprint]));
  return {
    intent,
    changed: intent.planned.views.filter(v => served.get(v.name) !== v.fingerprint).map(v => v.name),
    views: intent.planned.views.map(v => v.name),
    errors: [...intent.planned.errors.keys()],
  };
}

describe('what files ask for', () => {
  it('is all views of a new folder', () => {
    expect(settle({}, { a: ';1', b: 'a;1' })).toMatchObject({ changed: ['a', 'b'], errors: [] });
  });

  it('rebuilds a changed view together with what reads it, and nothing else', () => {
    const before = { a: ';1', b: 'a;1', c: ';1' };
    expect(settle(before, { ...before, a: ';2' }).changed).toEqual(['a', 'b']);
  });

  it('keeps the last good version of a broken file, and its readers as they are', () => {
    const before = { a: ';1', b: 'a;1' };
    expect(settle(before, { ...before, a: '?' })).toMatchObject({
      changed: [],
      views: ['a', 'b'],
      errors: ['a.sql'],
    });
  });

  it('reports a new broken file without touching others', () => {
    expect(settle({ a: ';1' }, { a: ';1', n: '?' })).toMatchObject({
      changed: [],
      views: ['a'],
      errors: ['n.sql'],
    });
  });

  it('takes a new view that reads the last good version of a broken one', () => {
    expect(settle({ a: ';1' }, { a: '?', n: 'a;1' })).toMatchObject({ changed: ['n'], errors: ['a.sql'] });
  });

  it('holds a change back while a served reader of it is broken', () => {
    const { intent, changed, errors } = settle({ a: ';1', b: 'a;1' }, { a: ';2', b: '?' });
    expect(changed).toEqual([]);
    expect(errors).toEqual(['b.sql']);
    expect(intent.notices.get('a')).toEqual(['the change waits: b reads this view and has errors']);
  });

  it('retires a removed view that nobody reads', () => {
    expect(settle({ a: ';1', b: ';1' }, { b: ';1' }).views).toEqual(['b']);
  });

  it('retires removed views together with removed readers', () => {
    expect(settle({ a: ';1', b: 'a;1', c: ';1' }, { c: ';1' }).views).toEqual(['c']);
  });

  it('keeps a removed view while another reads it, and says so', () => {
    const { intent, views, errors } = settle({ a: ';1', b: 'a;1' }, { b: 'a;1' });
    expect(views).toEqual(['a', 'b']);
    expect(errors).toEqual([]);
    expect(intent.notices.get('a')).toEqual(['the file was removed, but the view is kept: read by b']);
  });

  it('mends all at once when the broken file is mended', () => {
    const before = { a: ';1', b: 'a;1' };
    expect(settle(before, { a: ';2', b: 'a;2' })).toMatchObject({ changed: ['a', 'b'], errors: [] });
  });
});
