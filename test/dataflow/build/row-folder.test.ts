import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RowFolder } from '../../../src/dataflow/build/row-folder.ts';
import { RowChangeWriter } from '../../../src/view-store/row-changes.ts';
import { openViewFile, openViewFileReader } from '../../../src/view-store/view-file.ts';
import { until } from '../../until.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

async function folderIn(dir: string): Promise<RowFolder> {
  const folder = new RowFolder(version => join(dir, version));
  onTestFinished(() => folder.close());
  await until('the thread runs', () => folder.ready);
  return folder;
}

function temporary(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-folder-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** `a=1` is a row, `a` the end of one. */
function changes(...texts: string[]): Uint8Array<ArrayBuffer> {
  const writer = new RowChangeWriter();
  for (const [seq, text] of texts.entries()) {
    const [key = '', value] = text.split('=');
    writer.add(utf8(key), value === undefined ? null : utf8(value), seq);
  }
  return writer.take();
}

async function rowsOf(path: string): Promise<string[]> {
  const reader = openViewFileReader(path);
  const rows = [...reader.range({})].map(({ key, value }) => `${Buffer.from(key)}=${Buffer.from(value)}`);
  await reader.close();
  return rows;
}

test('rows come to the files of their views, in order, with the position of the last', async () => {
  const dir = temporary();
  const folder = await folderIn(dir);
  folder.fold('v', { changes: changes('a=1', 'b=1', 'a=2'), append: false, position: 10 });
  folder.fold('w', { changes: changes('x=1'), append: true, position: 10 });
  expect(folder.idle).toBe(false);
  folder.fold('v', { changes: changes('b', 'c=3'), append: false, position: 20 });
  expect(folder.full).toBe(true);
  await until('all is in the files', () => folder.idle);
  expect(folder.full).toBe(false);
  folder.check();
  expect(await rowsOf(join(dir, 'v'))).toEqual(['a=2', 'c=3']);
  expect(await rowsOf(join(dir, 'w'))).toEqual(['x=1']);
  const file = openViewFile(join(dir, 'v'));
  expect(file.stamp()).toBe(20);
  await file.close();
});

test('what could not be written is told once, and written when it is tried again', async () => {
  const dir = temporary();
  const folder = await folderIn(dir);
  const path = join(dir, 'v');
  writeFileSync(path, 'in the way of the folder');
  folder.fold('v', { changes: changes('a=1'), append: false, position: 5 });
  const told = await until('it is told', () => {
    try {
      folder.check();
      return null;
    } catch (error) {
      return error as Error;
    }
  });
  expect(told.message).toContain(path);
  expect(folder.idle).toBe(false);
  rmSync(path);
  mkdirSync(path);
  await until('it is written', () => {
    try {
      folder.check();
    } catch {
      // told again of the attempts before
    }
    return folder.idle;
  });
  expect(await rowsOf(path)).toEqual(['a=1']);
});

test('rows of a build that is given up are not written: no file comes into being', async () => {
  const dir = temporary();
  const folder = await folderIn(dir);
  folder.fold('v', { changes: changes('a=1'), append: false, position: 5 });
  folder.fold('w', { changes: changes('a=1'), append: false, position: 5 });
  folder.close();
  await folder.ended;
  expect(existsSync(join(dir, 'w'))).toBe(false);
});
