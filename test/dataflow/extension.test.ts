import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { loadExtensions } from '../../src/dataflow/extension.ts';

function moduleOf(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-extension-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'mine.mjs');
  writeFileSync(path, text);
  return pathToFileURL(path).href;
}

it.each([
  ['import "./nowhere.mjs";', /mine\.mjs cannot be loaded: .*nowhere\.mjs/s],
  ['export const x = ;', /mine\.mjs cannot be loaded: /],
  ['throw new Error("not today");', /mine\.mjs cannot be loaded: not today/],
  ['export const extensions = {};', /mine\.mjs exports no "extension"/],
])('a module such as %s is refused by its name, with the reason', async (text, message) => {
  await expect(loadExtensions([moduleOf(text)])).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringMatching(message),
  });
});

it('a module that is not there is refused by its name', async () => {
  await expect(loadExtensions([`${moduleOf('')}.gone`])).rejects.toMatchObject({ code: 'config_invalid' });
});
