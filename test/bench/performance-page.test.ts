import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BenchResult } from '../../bench/bench.ts';
import { BENCHES } from '../../bench/run.ts';
import { measuredFile, performancePage, withTables } from '../../bench/table.ts';

const measured = JSON.parse(readFileSync(measuredFile, 'utf8')) as readonly BenchResult[];
const page = readFileSync(performancePage, 'utf8');

describe('docs/performance.md', () => {
  it('shows what was measured and nothing else: node bench/table.ts makes it', () => {
    expect(withTables(page, measured)).toBe(page);
  });

  it('names benches that are there', () => {
    const named = [...page.matchAll(/^\|.*\| `([a-z-]+)` \|$/gm)].map(m => m[1] as string);
    expect(named.length).toBeGreaterThan(5);
    expect([...BENCHES, 'peers']).toEqual(expect.arrayContaining(named));
    for (const name of BENCHES) {
      expect(existsSync(join(import.meta.dirname, '..', '..', 'bench', `${name}.ts`)), name).toBe(true);
    }
  });

  it('says which benches have no result', () => {
    const without = measured.filter(r => r.name !== 'memory');
    expect(withTables(page, without)).toMatch(/^Not measured yet: .*`memory`.*\.$/m);
    expect(withTables(page, without)).not.toContain('### memory');
  });

  it('says when a run was not alone on the machine', () => {
    const busy = measured.map(r => ({ ...r, load: 17.5 }));
    expect(
      withTables(page, busy).match(/\*\*other programs took the cores \(load 17\.5\)\*\*/g),
    ).toHaveLength(measured.length);
  });

  it('shows a promise that was missed as missed', () => {
    const figure = { name: 'x', what: 'what', value: 1, unit: 'x', floor: 2 };
    const missed = measured.map(r => ({ ...r, figures: [figure] }));
    expect(withTables(page, missed)).toContain('| what | 1 x | **missed**: at least 2 |');
  });
});
