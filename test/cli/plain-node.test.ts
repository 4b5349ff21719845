import { globSync } from 'node:fs';
import { expect, it } from 'vitest';
import { projectDir, runScript } from './command-line.ts';

/** They do their work when they are loaded. */
const ENTRIES = /-(worker|thread)\.ts$|cli\/millrace/;

// The test runner finds names in CommonJS packages that Node does not: what it loads may not load in a server.
it('every module loads in Node itself', async () => {
  const modules = globSync('src/**/*.ts', { cwd: projectDir }).filter(file => !ENTRIES.test(file));
  expect(modules.length).toBeGreaterThan(300);
  const load = modules.map(file => `await import('./${file}');`).join('');
  const ran = await runScript(`node --input-type=module <<'END'\n${load}\nEND`);
  expect(ran).toMatchObject({ code: 0, err: '' });
}, 60_000);
