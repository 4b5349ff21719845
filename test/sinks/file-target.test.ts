import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { armFaultPoints } from '../../src/core/fault-points.ts';
import { BIGINT, STRING } from '../../src/core/sql-type.ts';
import type { Row } from '../../src/core/value.ts';
import type { ViewChange } from '../../src/deploy/view-access.ts';
import { jsonWriter } from '../../src/expr/value-json.ts';
import { encodeKey } from '../../src/kv/key-codec.ts';
import { fileSink } from '../../src/sinks/file/file-target.ts';
import type { SinkTarget, SinkView } from '../../src/sinks/sink-target.ts';
import { sinkTargetContract } from './sink-target.contract.ts';

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-file-sink-'));
}

function targetAt(path: string): SinkTarget {
  const json = (type: Parameters<typeof jsonWriter>[0]) => jsonWriter(type, { numbers: 'string' });
  return fileSink({ sink: 'totals', path, json }).make({ lost: () => {}, notice: () => {} });
}

/** What a program makes of the file that follows it: the last row of each key, up to the last position. */
function rowsIn(path: string): (string | null)[][] | null {
  if (!existsSync(path)) return null;
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  const { key } = JSON.parse(lines[0] ?? '{}') as { readonly key: readonly string[] };
  const rows = new Map<string, (string | null)[]>();
  let waiting: (() => void)[] = [];
  for (const line of lines.slice(1)) {
    if (line.startsWith('{"position"')) {
      for (const change of waiting) change();
      waiting = [];
      continue;
    }
    const {
      put,
      id,
      delete: gone,
    } = JSON.parse(line) as {
      readonly put?: Record<string, string | null>;
      readonly delete?: Record<string, string | null>;
      readonly id?: string;
    };
    const name = id ?? JSON.stringify(key.map(k => (put ?? gone)?.[k]));
    waiting.push(() => (put ? rows.set(name, Object.values(put)) : rows.delete(name)));
  }
  return [...rows.values()].sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

sinkTargetContract('A file of JSON lines', async () => {
  const dir = folder();
  const path = join(dir, 'kept', 'rows.ndjson');
  return {
    kind: sink => fileSink({ sink, path, json: type => jsonWriter(type, { numbers: 'string' }) }),
    read: async () => rowsIn(path),
    remove: async () => rmSync(dir, { recursive: true, force: true }),
  };
});

const VIEW: SinkView = {
  name: 'totals',
  statement: 'table',
  version: 'totals@1',
  columns: [
    { name: 'customer', type: STRING },
    { name: 'n', type: BIGINT },
  ],
  key: [0],
};
const at = (position: number) => ({ log: 'log1', version: 'totals@1', position });
const put = (...row: Row): ViewChange => ({
  ...{ op: 'upsert', row, rowtime: 0, seq: 0, id: String(row[0]) },
  key: encodeKey([row[0] ?? null], [STRING]),
});

async function loaded(path: string): Promise<SinkTarget> {
  const target = targetAt(path);
  try {
    await target.open(VIEW);
    const load = await target.load(VIEW);
    await load.rows([put('a', 1n)]);
    await load.commit(at(3));
    return target;
  } catch (error) {
    await target.close();
    throw error;
  }
}

describe('a file of JSON lines', () => {
  afterEach(() => armFaultPoints(null, () => {}));

  test('is read line by line: the view, its rows, changes, positions', async () => {
    const dir = folder();
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'totals.ndjson');
    const target = await loaded(path);
    await target.apply([put('a', 2n), { ...put('b', null), op: 'delete' }], at(3), at(40));
    await target.close();
    expect(readFileSync(path, 'utf8').split('\n')).toEqual([
      '{"view":"totals","version":"totals@1","columns":[{"name":"customer","type":"STRING"},{"name":"n","type":"BIGINT"}],"key":["customer"]}',
      '{"put":{"customer":"a","n":"1"}}',
      '{"position":"log1-3"}',
      '{"put":{"customer":"a","n":"2"}}',
      '{"delete":{"customer":"b"}}',
      '{"position":"log1-14"}',
      '',
    ]);
  });

  test.each([
    ['half a line', '{"put":{"customer":"z'],
    ['changes without a position', '{"put":{"customer":"z","n":"9"}}\n'],
    ['half a position', '{"put":{"customer":"z","n":"9"}}\n{"position":"log1-'],
    ['more than is read at once', `{"put":{"customer":"${'z'.repeat(200_000)}","n":"9"}}\n`],
  ])('that ends in %s goes on behind its last position', async (_, torn) => {
    const dir = folder();
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'totals.ndjson');
    await (await loaded(path)).close();
    appendFileSync(path, torn);
    const target = targetAt(path);
    expect(await target.open(VIEW)).toEqual(at(3));
    await target.apply([put('b', 2n)], at(3), at(5));
    await target.close();
    expect(rowsIn(path)).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect(readFileSync(path, 'utf8')).not.toContain('z');
  });

  test.each(['sink.file.append', 'sink.file.appended'])(
    'whose change fails at %s goes on with the same change',
    async point => {
      const dir = folder();
      onTestFinished(() => rmSync(dir, { recursive: true }));
      const path = join(dir, 'totals.ndjson');
      const target = await loaded(path);
      armFaultPoints(`${point}@1=EIO`, () => {});
      await expect(target.apply([put('b', 2n)], at(3), at(5))).rejects.toMatchObject({
        code: 'sink_unreachable',
      });
      await target.close();
      const again = targetAt(path);
      const state = await again.open(VIEW);
      if (state?.position === 3) await again.apply([put('b', 2n)], at(3), at(5));
      await again.close();
      expect(rowsIn(path)).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
    },
  );

  test.each(['sink.file.load', 'sink.file.write', 'sink.file.sync', 'sink.file.swap'])(
    'whose load fails at %s stays as it was',
    async point => {
      const dir = folder();
      onTestFinished(() => rmSync(dir, { recursive: true }));
      const path = join(dir, 'totals.ndjson');
      await (await loaded(path)).close();
      armFaultPoints(`${point}@1=ENOSPC`, () => {});
      await expect(loaded(path)).rejects.toMatchObject({ code: 'sink_unreachable' });
      expect(rowsIn(path)).toEqual([['a', '1']]);
      await (await loaded(path)).close();
      expect(rowsIn(path)).toEqual([['a', '1']]);
    },
  );

  test('that cannot be written is refused with its name', async () => {
    const dir = folder();
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'file', 'totals.ndjson');
    appendFileSync(join(dir, 'file'), '');
    await expect(targetAt(path).open(VIEW)).rejects.toMatchObject({
      code: 'sink_refused',
      message: expect.stringContaining('totals.ndjson cannot be written'),
    });
  });
});
