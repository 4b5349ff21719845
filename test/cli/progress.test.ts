import { describe, expect, it } from 'vitest';
import { buildFraction, viewNews } from '../../src/cli/build-watch.ts';
import { progressLine } from '../../src/cli/progress.ts';
import type { ViewStatus } from '../../src/deploy/view-access.ts';

function recorded(isTTY: boolean) {
  const written: string[] = [];
  return { written, progress: progressLine({ isTTY, columns: 60, write: text => written.push(text) }) };
}

describe('progress', () => {
  it('is a bar that redraws itself on a terminal, no wider than it', () => {
    const { written, progress } = recorded(true);
    progress.show('building x', 0);
    progress.show('building a view whose name is long enough to be cut', 0.5);
    progress.end();
    progress.end();
    expect(written).toEqual([
      '\r\x1b[K[..............................]  0 % building x',
      '\r\x1b[K[###############...............] 50 % building a view whose',
      '\r\x1b[K',
    ]);
  });

  it('is one plain line for each tenth elsewhere', () => {
    const { written, progress } = recorded(false);
    for (let i = 0; i <= 100; i++) progress.show('building x', i / 100);
    expect(written).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map(p => `building x (${p} %)\n`));
  });
});

function view(name: string, state: ViewStatus['state'], more: Partial<ViewStatus> = {}): ViewStatus {
  return {
    name,
    state,
    statement: 'view',
    serving: state === 'live',
    file: `views/${name}.sql`,
    description: '',
    fingerprint: null,
    reads: [],
    readBy: [],
    position: null,
    build: null,
    errors: [],
    notices: [],
    ...more,
  };
}

describe('what an operator is told of builds', () => {
  const build = { from: 100, position: 150, target: 200, fraction: 0.5, remaining: null, startedAt: 0 };

  it('how far they are', () => {
    expect(buildFraction([view('a', 'live')])).toBeNull();
    expect(buildFraction([view('a', 'building')])).toEqual({ text: 'building a', fraction: 0 });
    expect(buildFraction([view('a', 'building', { build }), view('b', 'building')])).toEqual({
      text: 'building 2 views: 50 of 100 records',
      fraction: 0.5,
    });
  });

  it('what is built, broken, mended, kept and gone, each once', () => {
    const broken = view('a', 'failed', { errors: ['views/a.sql:1:1: wrong'], serving: true });
    expect(viewNews([], [view('a', 'live'), view('b', 'building')])).toEqual(['a is built and served']);
    expect(viewNews([view('a', 'live')], [broken])).toEqual([
      'views/a.sql:1:1: wrong',
      'a: the last good version goes on serving',
    ]);
    expect(viewNews([broken], [broken])).toEqual([]);
    expect(viewNews([broken], [view('a', 'live')])).toEqual(['a is built and served']);
    expect(viewNews([view('a', 'live')], [view('a', 'live', { notices: ['kept'] })])).toEqual(['a: kept']);
    expect(viewNews([view('a', 'live')], [])).toEqual(['a is gone']);
    expect(
      viewNews(
        [],
        ['a', 'b', 'c', 'd'].map(n => view(n, 'live')),
      ),
    ).toEqual(['4 views are built and served']);
  });
});
