import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { ended, launch, millrace, newFolder, type Ran, removeFolders } from './command-line.ts';

const FOLDER = 'test/cli/wrong-files';

/** Where each wrong file is wrong, by what code, and what the hint says; null: there is nothing to advise. */
const WRONG: Readonly<Record<string, readonly [at: string, code: string, hint: string | null]>> = {
  aggregate_in_where: ['4:7', 'invalid_statement', 'conditions over aggregates stand in HAVING'],
  argument_count: ['2:18', 'type_mismatch', 'it takes LPAD(STRING, INT, STRING) -> STRING'],
  bad_cast: ['2:33', 'unknown_type', 'types: BOOLEAN, INT'],
  cycle_a: ['1:13', 'cyclic_views', null],
  cycle_b: ['1:13', 'cyclic_views', null],
  having_without_group: ['4:8', 'invalid_statement', 'conditions over rows stand in WHERE'],
  joined: ['3:31', 'syntax_error', 'a join needs its condition: ON a.id = b.id'],
  missing_group_column: ['2:18', 'invalid_statement', 'add it to GROUP BY'],
  misspelt_keyword: ['2:1', 'syntax_error', 'did you mean SELECT?'],
  no_statement: ['1:1', 'invalid_statement', 'write SELECT ... or CREATE VIEW ... AS SELECT ...'],
  open_parenthesis: ['2:43', 'syntax_error', 'the "(" opened at 2:18 is not closed'],
  open_string: ['2:18', 'syntax_error', "add the closing '"],
  other_name: ['1:13', 'name_mismatch', 'call the view other_name, or the file another_name.sql'],
  twice_a: ['1:13', 'name_mismatch', 'call the view twice_a'],
  twice_b: ['1:13', 'duplicate_name', 'remove one of them, or give it another name'],
  two_broken_lines: ['2:27', 'unknown_function', 'did you mean SUBSTRING?'],
  two_views: ['3:13', 'invalid_statement', 'put this one into its own file'],
  type_mismatch: ['4:16', 'type_mismatch', 'convert one side with CAST'],
  unknown_column: ['2:18', 'unknown_column', 'did you mean "amount"?'],
  unknown_function: ['2:18', 'unknown_function', 'did you mean UPPER?'],
  unknown_source: ['3:6', 'unknown_source', 'did you mean "orders"?'],
  window_function: ['3:7', 'invalid_statement', 'select it in a subquery in FROM'],
  window_on_table: ['3:16', 'invalid_statement', 'leave WINDOW out'],
  window_unit: ['3:37', 'syntax_error', 'units: MILLISECONDS, SECONDS'],
  with_property: ['1:34', 'invalid_property', 'did you mean KAFKA_TOPIC?'],
};

afterAll(removeFolders);

describe('check on a folder of differently wrong files', () => {
  let ran: Ran;
  let blocks: readonly string[];
  beforeAll(async () => {
    ran = await millrace(['check', FOLDER]);
    blocks = ran.err.split('\n\n').filter(b => b.trim() !== '');
  });

  it('names every wrong file of the folder here', () => {
    const wrong = readdirSync(FOLDER).filter(n => n.endsWith('.sql') && !n.startsWith('right_'));
    expect(wrong.map(n => n.slice(0, -'.sql'.length)).sort()).toEqual(Object.keys(WRONG).sort());
    expect(wrong.length).toBeGreaterThanOrEqual(20);
  });

  it.each(Object.entries(WRONG))('%s: place, caret and hint', (name, [at, code, hint]) => {
    const [line] = at.split(':');
    const block = blocks.find(b => b.startsWith(`${FOLDER}/${name}.sql:${at}: `));
    expect(block, ran.err).toBeDefined();
    const [message, source, caret, advice] = (block as string).split('\n');
    expect(message).toMatch(new RegExp(`\\[${code}\\]$`));
    expect(source).toMatch(new RegExp(`^${line} \\| `));
    expect(caret?.search(/\^+$/)).toBe(`${line} | `.length + Number(at.split(':')[1]) - 1);
    if (hint === null) expect(advice).toBeUndefined();
    else expect(advice).toContain(`  hint: ${hint}`);
  });

  it('every error has a place and a caret line', () => {
    for (const block of blocks) {
      expect(block).toMatch(
        /^test\/cli\/wrong-files\/\w+\.sql:\d+:\d+: .+ \[\w+\]\n\d+ \| .*\n +\^+(\n {2}hint: .+)?$/,
      );
    }
  });

  it('one file shows several errors', () => {
    const of = blocks.filter(b => b.startsWith(`${FOLDER}/two_broken_lines.sql`));
    expect(of.map(b => b.split('\n')[0])).toEqual([
      `${FOLDER}/two_broken_lines.sql:2:18: unknown column "custmer" [unknown_column]`,
      `${FOLDER}/two_broken_lines.sql:2:27: unknown function "SUBSTRNG" [unknown_function]`,
    ]);
  });

  it('the right views count, the exit code is 1, and no stack trace is shown', () => {
    expect(ran.out).toBe(
      `${blocks.length} errors in ${Object.keys(WRONG).length} files; 2 views are right\n`,
    );
    expect(ran.code).toBe(1);
    expect(ran.err).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  });

  it('--json holds the same errors', async () => {
    const json = await millrace(['check', FOLDER, '--json']);
    expect(json.code).toBe(1);
    expect(json.err).toBe('');
    const answer = JSON.parse(json.out) as {
      files: number;
      views: number;
      errors: {
        file: string;
        line: number;
        column: number;
        code: string;
        hint: string | null;
        text: string;
      }[];
    };
    expect(answer.views).toBe(2);
    expect(answer.errors.map(e => e.text)).toEqual(blocks);
    expect(answer.errors.find(e => e.file.endsWith('unknown_source.sql'))).toMatchObject({
      line: 3,
      column: 6,
      code: 'unknown_source',
      message: 'unknown stream, table or view "order"',
      hint: 'did you mean "orders"?',
    });
  });
});

describe('check', () => {
  it('finds the shipped views right', async () => {
    expect(await millrace(['check'])).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^\d+ views are right\n$/),
    });
  });

  it('of one file shows its own errors only', async () => {
    const ran = await millrace(['check', `${FOLDER}/unknown_source.sql`]);
    expect(ran.out).toBe('1 error in 1 file; 0 views are right\n');
    expect(await millrace(['check', `${FOLDER}/right_large_orders.sql`])).toMatchObject({
      code: 0,
      out: '1 view is right\n',
    });
  });

  it('knows files of sources', async () => {
    expect(await millrace(['check', `${FOLDER}/sources/orders.sql`])).toMatchObject({ code: 0, err: '' });
  });

  it('refuses a path that does not exist, and one without SQL', async () => {
    const empty = newFolder();
    expect(await millrace(['check', 'no/such'])).toMatchObject({
      code: 1,
      err: 'there is no file or folder "no/such" [not_found]\n',
    });
    expect(await millrace(['check', empty])).toMatchObject({
      code: 1,
      err: `there is no file *.sql in ${empty} [not_found]\n`,
    });
  });

  it('shows where a YAML file of pipelines is wrong', async () => {
    const pipelines = newFolder();
    writeFileSync(join(pipelines, 'settings.yaml'), 'server:\n  prot: 8080\nviews:\n  zone: Mars/Olympus\n');
    const ran = await millrace(['check', '--pipelines', pipelines]);
    const file = `${pipelines.split('/').at(-1)}/settings.yaml`;
    expect(ran.code).toBe(1);
    expect(ran.out).toBe('');
    expect(ran.err).toContain(
      `${file}:2:3: unknown setting "prot" [config_invalid]\n2 |   prot: 8080\n      ^^^^\n  hint: did you mean "port"?\n`,
    );
    expect(ran.err).toContain(`${file}:4:9: "views.zone" is no IANA time zone`);
  });

  it('shows where YAML itself is broken', async () => {
    const pipelines = newFolder();
    writeFileSync(join(pipelines, 'topics.yaml'), 'topics:\n  orders: { partitions: 3\n');
    const ran = await millrace(['check', '--pipelines', pipelines]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/topics\.yaml:\d+:\d+: .+ \[config_invalid\]\n\d+ \| /);
    expect(ran.err).not.toContain('    at ');
  });
});

const SOURCE =
  "CREATE STREAM orders (id STRING KEY, v INT) WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON');";

describe('what lies in a folder of views and is no view', () => {
  it('is told: a link that leads nowhere, a folder, two files whose names differ in case', async () => {
    const views = newFolder();
    mkdirSync(join(views, 'sources'));
    mkdirSync(join(views, 'old'));
    symlinkSync('nowhere.sql', join(views, 'lost.sql'));
    writeFileSync(join(views, 'sources', 'orders.sql'), SOURCE);
    writeFileSync(join(views, 'totals.sql'), 'SELECT SUM(v) AS v FROM orders;');
    writeFileSync(join(views, 'Totals.sql'), 'SELECT SUM(v) AS v FROM orders;');
    const { code, err } = await millrace(['check', views]);
    expect(code).toBe(1);
    expect(err).toMatch(/lost\.sql:1:1: this link leads to no file/);
    expect(err).toMatch(/old:1:1: this is a folder, and nothing in it is read/);
    expect(err).toMatch(/"totals" is defined twice/i);
  });
});

describe('check --watch', () => {
  it('gives a verdict at once, and one more for each change of what the files say', async () => {
    const views = newFolder();
    const write = (v: string) => writeFileSync(join(views, 'v.sql'), `${SOURCE}\nSELECT ${v} FROM orders;`);
    write('v');
    const child = launch(['check', '--watch', views]);
    const verdicts: string[] = [];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      verdicts.push(...text.split('\n').filter(line => line !== ''));
    });
    await until('the first verdict', () => verdicts.length === 1);
    write('w');
    await until('the second one', () => verdicts.length === 2);
    write('w');
    write('v + 1');
    await until('the third one', () => verdicts.length === 3);
    child.kill('SIGTERM');
    expect(await ended(child)).toMatchObject({ code: 0 });
    expect(verdicts).toEqual(['1 view is right', '1 error in 1 file; 0 views are right', '1 view is right']);
  });
});
