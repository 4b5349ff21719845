import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDir } from './command-line.ts';

/** All sources as one text, the values in templates left out. */
function sources(): string {
  const folder = join(projectDir, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(f => f.endsWith('.ts'));
  return files.map(f => readFileSync(join(folder, f), 'utf8')).join('\n');
}

describe('docs/data-folder.md', () => {
  const page = readFileSync(join(projectDir, 'docs', 'data-folder.md'), 'utf8');
  const after = page.slice(page.indexOf('## After a crash'));
  const messages = [...after.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message),
  );
  // what stands between values: N, X, A, B, M, dots and quotes
  const parts = messages.map(message =>
    message
      .split(/\b[NXABM]\b|"?\.\.\."?|[:,] *$/)
      .map(p => p.replace(/^[\s,:;]+|[\s,:;]+$/g, ''))
      .filter(p => p.length > 6),
  );
  const text = sources();

  it.each(messages.map((message, i) => [message, parts[i] ?? []] as const))(
    '%s is what the program says',
    (_, of) => {
      expect(of.length).toBeGreaterThan(0);
      expect(of.filter(part => !text.includes(part))).toEqual([]);
    },
  );

  it('has messages', () => {
    expect(messages.length).toBeGreaterThan(8);
  });
});
