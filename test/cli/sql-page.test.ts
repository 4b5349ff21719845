import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CaseEngine, columnsEngine, foldEngine } from '../../src/cli/test/case-engine.ts';
import { insertedRecords } from '../../src/cli/test/inserted-records.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { errorText } from '../../src/core/errors.ts';
import { parseTimestamp } from '../../src/core/iso-time.ts';
import { createEngine } from '../../src/dataflow/engine/engine.ts';
import { ViewRows } from '../../src/dataflow/reference/view-rows.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { valueText } from '../../src/expr/value-text.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { planScript } from '../../src/plan/script.ts';
import { projectDir } from './command-line.ts';

/**
 * `docs/sql.md` is true: each statement is planned over the data of the page, a table behind it holds the rows that it
 * gives, and a block of text the error. `MILLRACE_REFRESH=1 vitest run test/cli/sql-page.test.ts` writes what they are now.
 */
const path = join(projectDir, 'docs', 'sql.md');
const refresh = process.env.MILLRACE_REFRESH === '1';
const page = readFileSync(path, 'utf8');

/** A statement, then what it gives, if the page tells. */
const EXAMPLE = /^```sql\n([\s\S]*?)^```\n(?:\n((?:^\|.*\n)+)|\n```text\n([\s\S]*?)^```\n)?/gm;

interface Example {
  readonly sql: string;
  readonly table: string | null;
  readonly error: string | null;
}

const [data, ...examples] = [...page.matchAll(EXAMPLE)].map(
  ([, sql = '', table, error]): Example => ({ sql, table: table ?? null, error: error ?? null }),
);

const head = data?.sql ?? '';
const plan = (sql: string) =>
  planScript({ file: 'example.sql', text: `${head}${sql}` }, { functions: standardLibrary, zone: 'UTC' });

/** The rows of the last view of an example, after all its INSERTs and steps of the clock. */
function rowsOf(sql: string, engine: CaseEngine): readonly (readonly string[])[] {
  const script = plan(sql);
  expect(script.errors.map(errorText)).toEqual([]);
  if (script.plan === null) throw new Error('no plan');
  const view = script.plan.views.at(-1);
  if (view === undefined) throw new Error('the example has no query');
  const run = engine({ plan: script.plan, functions: standardLibrary, zone: 'UTC' });
  const clock = new ManualClock(0);
  const log = createMemoryLog({ clock, id: 'page' });
  const rows = new ViewRows(view.root.schema);
  let position = 0;
  const step = (): void => {
    for (const block of log.read(position)) run.step(block);
    position = log.end();
    for (const change of run.takeChanges(view.name)) rows.apply(change);
  };
  for (const done of script.steps) {
    if (done.kind === 'insert') {
      for (const record of insertedRecords(done, standardLibrary, clock.now())) {
        log.createTopic({ name: record.topic, partitions: 1, keyIndex: false });
        log.append({ records: [record] });
        step();
      }
    } else if (done.statement.what === 'clock') {
      const [to] = done.statement.values;
      const time = to?.kind === 'string' ? parseTimestamp(to.value) : null;
      if (time === null) throw new Error('no time');
      for (let next = run.deadline() ?? time; clock.now() < time; next = run.deadline() ?? time) {
        clock.set(Math.max(clock.now(), Math.min(next, time)));
        log.tick(clock.now());
        step();
        if (next <= clock.now() && run.deadline() === next) clock.set(time);
      }
    }
  }
  const { columns } = view.root.schema;
  const shown = [...columns.keys()].filter(i => !(view.hidden ?? []).includes(i));
  const cell = (value: unknown, i: number): string => {
    const type = columns[i]?.type;
    return value === null || value === undefined || type === undefined
      ? 'NULL'
      : valueText(type)(value as never);
  };
  const list = rows.inOrder().map(({ row }) => shown.map(i => cell(row[i], i)));
  return [shown.map(i => columns[i]?.name ?? ''), ...list];
}

const cellsOf = (table: string): string[][] =>
  table
    .trimEnd()
    .split('\n')
    .filter((_, line) => line !== 1)
    .map(line =>
      line
        .slice(1, -1)
        .split('|')
        .map(c => c.trim()),
    );

function tableOf([names = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return `${line(names)}|${names.map(() => '---').join('|')}|\n${rows.map(line).join('')}`;
}

const errorsOf = (sql: string): string => {
  const text = `${plan(sql).errors.map(errorText).join('\n')}\n`;
  // lines are counted from the example's own first one
  const before = head.split('\n').length - 1;
  return text
    .replaceAll(/^example\.sql:(\d+)/gm, (_, line: string) => `example.sql:${Number(line) - before}`)
    .replaceAll(/^(\d+) \|/gm, (_, line: string) => `${Number(line) - before} |`)
    .replaceAll(/^( +)(?=\^)/gm, spaces => spaces.slice(String(before + 1).length - 1));
};

const ENGINES = { engine: columnsEngine(createEngine), 'reference fold': foldEngine };

if (refresh) {
  const [setup, ...rest] = page
    .split(/(?<=^```\n)/m)
    .join('')
    .split(head);
  const body = rest.join(head).replaceAll(EXAMPLE, (all, sql: string, table?: string, error?: string) => {
    if (table !== undefined) return `\`\`\`sql\n${sql}\`\`\`\n\n${tableOf(rowsOf(sql, ENGINES.engine))}`;
    if (error !== undefined) return `\`\`\`sql\n${sql}\`\`\`\n\n\`\`\`text\n${errorsOf(sql)}\`\`\`\n`;
    return all;
  });
  writeFileSync(path, `${setup}${head}${body}`);
}

describe('docs/sql.md', () => {
  it('has examples', () => {
    expect(examples.filter(e => e.table !== null).length).toBeGreaterThan(20);
  });

  it.each(examples.map((e, i) => [i + 1, e.sql.split('\n')[0], e] as const))('example %i: %s', (_, __, e) => {
    if (e.error !== null) {
      expect(errorsOf(e.sql)).toBe(e.error);
      return;
    }
    expect(plan(e.sql).errors.map(errorText)).toEqual([]);
    if (e.table === null) return;
    const [names, ...rows] = cellsOf(e.table);
    for (const engine of Object.values(ENGINES)) {
      const [columns, ...got] = rowsOf(e.sql, engine);
      expect(columns).toEqual(names);
      expect(got.map(r => r.join(' | ')).sort()).toEqual(rows.map(r => r.join(' | ')).sort());
    }
  });
});
