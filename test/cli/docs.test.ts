import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planOffline } from '../../src/cli/check.ts';
import { commandLine } from '../../src/cli/main.ts';
import { errorText } from '../../src/core/errors.ts';
import {
  entry,
  millrace,
  newFolder,
  projectDir,
  type Ran,
  removeFolders,
  runScript,
} from './command-line.ts';
import { type StartedServer, startServer } from './started-server.ts';

/**
 * The pages of `docs/` cannot rot: help texts and functions are what the program says (refresh them with
 * `MILLRACE_REFRESH=1 vitest run test/cli/docs.test.ts`), statements are planned, and examples are run.
 */
const refresh = process.env.MILLRACE_REFRESH === '1';
const docs = join(projectDir, 'docs');
const page = (name: string) => readFileSync(join(docs, name), 'utf8');

/** Fenced blocks of a language, in order. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, body = '']) =>
    of === language ? [body] : [],
  );
}

const { commands } = await commandLine(() => {});
const helpOf = (command: (typeof commands)[number], name = command.name()) => ({
  name,
  text: command.configureHelp({ helpWidth: 100 }).helpInformation().trimEnd(),
});
const help = commands.map(c => helpOf(c));
/** of commands of a command, as `log trim` */
const inner = commands.flatMap(c => c.commands.map(sub => helpOf(sub, `${c.name()} ${sub.name()}`)));

describe('docs/cli.md', () => {
  const HELP = /^```text\n(?:millrace (\w+(?: \w+)?) --help|Usage: millrace (\w+(?: \w+)?)[\s\S]*?)\n```$/gm;

  it('shows every command as --help does', () => {
    if (refresh) {
      const written = page('cli.md').replace(HELP, (block, asked?: string, shown?: string) => {
        const found = [...inner, ...help].find(h => h.name === (asked ?? shown));
        return found === undefined ? block : `\`\`\`text\n${found.text}\n\`\`\``;
      });
      writeFileSync(join(docs, 'cli.md'), written);
    }
    expect(blocks(page('cli.md'), 'text')).toEqual(
      expect.arrayContaining([...help, ...inner].filter(h => h.name !== 'help').map(h => `${h.text}\n`)),
    );
  });

  it('names every command once, with an example', () => {
    const sections = page('cli.md').split(/^## /m).slice(1);
    expect(sections.map(s => s.split('\n')[0]).sort()).toEqual(help.map(h => h.name).sort());
    for (const section of sections) expect(section).toMatch(/^```(sh|console)\n.*millrace/m);
  });
});

describe('docs/functions.md', () => {
  it('is what the functions say', async () => {
    const { out, code } = await millrace(['functions', '--markdown']);
    expect(code).toBe(0);
    if (refresh) writeFileSync(join(docs, 'functions.md'), out);
    expect(page('functions.md')).toBe(out);
  });
});

describe('docs/views.md', () => {
  const statements = blocks(page('views.md'), 'sql');

  it.each(statements.map((sql, i) => [i + 1, sql] as const))('statement %i is planned', async (_, sql) => {
    const views = newFolder();
    const folder = join(projectDir, 'views');
    const named = /^CREATE (?:STREAM|TABLE|VIEW) (\w+)[^;]*? AS\b/m.exec(sql)?.[1] ?? 'example';
    cpSync(folder, views, { recursive: true });
    const file = join(views, `${named}.sql`);
    writeFileSync(file, sql);
    const { result } = await planOffline([file], {});
    expect(result.errors.map(errorText)).toEqual([]);
    expect(result.plan.views.map(v => v.name)).toContain(named);
  });
});

describe('examples', () => {
  let server: StartedServer | null = null;
  let env: Record<string, string>;
  beforeAll(async () => {
    const data = newFolder();
    server = await startServer(['--data', data, '--no-sample', '--no-watch']);
    env = { MILLRACE_DATA: data };
  });
  afterAll(async () => {
    await server?.stop();
    removeFolders();
  });

  const run = (script: string): Promise<Ran> =>
    runScript(
      `set -eo pipefail\nnpx() { shift; "${process.execPath}" "${entry}" "$@"; }\n` +
        `curl() { command curl --fail-with-body "$@"; }\n${script.replaceAll('localhost:8080', new URL(server?.url ?? '').host)}`,
      { env },
    );

  const examples = ['cli.md', 'http.md', 'second-domain.md'].flatMap(name =>
    blocks(page(name), 'sh').map((script, i) => ({ name, i: i + 1, script })),
  );

  // in order: later ones read what earlier ones wrote
  it.each(examples)('$name, example $i, works when pasted', async ({ script }) => {
    const ran = await run(script);
    expect(ran, `${script}\n${ran.out}\n${ran.err}`).toMatchObject({ code: 0 });
  });
});
