import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAULT_POINTS } from '../../src/core/fault-points.ts';
import { pointsOf, writeSites } from './write-sites.ts';

interface Excused {
  readonly file: string;
  /** a function, or `*` */
  readonly call: string;
  readonly why: string;
}

const root = join(import.meta.dirname, '..', '..');
const excused = JSON.parse(
  readFileSync(join(import.meta.dirname, 'write-points.json'), 'utf8'),
) as readonly Excused[];
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(name => /\.(ts|mjs)$/.test(name) && !name.endsWith('.d.mts'))
  .map(name => join(root, 'src', name));
const texts = new Map(files.map(file => [relative(root, file), readFileSync(file, 'utf8')]));

describe('every call in src that writes what is to last', () => {
  it('has a fault point beside it, or stands in write-points.json with the reason why none is needed', () => {
    const bare: string[] = [];
    for (const [file, text] of texts) {
      for (const { line, call, point } of writeSites(text)) {
        const known = excused.some(e => e.file === file && (e.call === call || e.call === '*'));
        if (point === null && !known) bare.push(`${file}:${line} ${call}: no faultPoint('...') before it`);
      }
    }
    expect(bare).toEqual([]);
  });

  it('is found where the crash tests expect one', () => {
    const found = [...texts].flatMap(([file, text]) => writeSites(text).map(s => `${file} ${s.call}`));
    expect(found).toEqual(
      expect.arrayContaining([
        'src/log/embedded/sealer.ts batch',
        'src/log/embedded/commit-group.ts put',
        'src/log/embedded/segment-writer.ts datasync',
        'src/log/embedded/folder-lock.ts linkSync',
        'src/kv/lmdb-store.ts transactionSync',
        'src/state/journal.ts write',
        'src/commands/reaction-runner.ts append',
        'src/deploy/log-ticker.ts tick',
        'src/kafka/replica-writer.ts append',
        'src/sinks/file/file-target.ts writeFile',
        'src/log/embedded/checked-copy.ts write',
      ]),
    );
  });

  it('is found in a text that has one without a point', () => {
    const planted = `
      import { rmSync, renameSync } from 'node:fs';
      function a() {
        // faultPoint('log.commit') in a comment counts for nothing
        rmSync('x');
      }
      function b() {
        if (c) {
          faultPoint('log.commit');
        }
        renameSync('x', 'y');
      }
      function c() {
        faultPoint('log.commit');
        for (;;) renameSync('x', 'y');
      }`.replaceAll('\n      ', '\n');
    expect(writeSites(planted).map(s => [s.call, s.point])).toEqual([
      ['rmSync', null],
      ['renameSync', null],
      ['renameSync', 'log.commit'],
    ]);
  });
});

describe('the list of fault points', () => {
  const passed = [...texts.values()].flatMap(pointsOf);

  it('names nothing that no code passes', () => {
    expect(Object.keys(FAULT_POINTS).filter(point => !passed.includes(point))).toEqual([]);
  });

  it('excuses nothing that is not there any more', () => {
    const gone = excused.filter(({ file, call }) => {
      const text = texts.get(file);
      return text === undefined || (call !== '*' && !writeSites(text).some(s => s.call === call));
    });
    expect(gone).toEqual([]);
  });
});
