import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, projectRoot } from '../../src/config.ts';
import { errorText, MillraceErrors } from '../../src/core/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipelines-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function faults(files: Record<string, string>): string[] {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  try {
    loadConfig(folder, folder);
  } catch (error) {
    if (error instanceof MillraceErrors) return error.errors.map(e => errorText(e).replace(/^[^/]*\//, ''));
    throw error;
  }
  return [];
}

describe('pipelines/*.yaml', () => {
  it('that ship are valid', () => {
    const config = loadConfig(join(projectRoot, 'pipelines'), projectRoot);
    expect(config.topics.map(t => t.name)).toContain('invoice-commands');
    expect(config.server.host).toBe('127.0.0.1');
  });

  it('may be missing: everything has a default', () => {
    expect(loadConfig(folder, folder)).toMatchObject({ server: { host: '127.0.0.1' }, topics: [] });
  });

  it('read durations', () => {
    writeFileSync(join(folder, 'handlers.yaml'), 'commands:\n  invoice: { keepResultsFor: 12h }\n');
    expect(loadConfig(folder, folder).commands.invoice?.keepResultsFor).toBe(12 * 3_600_000);
  });

  it('read where views are kept', () => {
    writeFileSync(
      join(folder, 'sinks.yaml'),
      [
        'sinks:',
        '  a: { view: Totals, postgres: { connection: $DATABASE_URL } }',
        '  b: { view: totals, postgres: { connection: "postgres://u@h/d", schema: s, table: t } }',
        '  c: { view: totals, file: { path: totals.ndjson } }',
      ].join('\n'),
    );
    expect(loadConfig(folder, folder).sinks).toEqual([
      {
        name: 'a',
        view: 'Totals',
        postgres: { connection: '$DATABASE_URL', schema: 'public', table: 'totals' },
        file: undefined,
      },
      {
        name: 'b',
        view: 'totals',
        postgres: { connection: 'postgres://u@h/d', schema: 's', table: 't' },
        file: undefined,
      },
      { name: 'c', view: 'totals', postgres: undefined, file: { path: 'totals.ndjson' } },
    ]);
    const sink = (text: string) => faults({ 'sinks.yaml': `sinks:\n  a: ${text}\n` });
    expect(sink('{ view: v }')).toEqual([
      expect.stringContaining('"sinks.a" names no place, or two: write postgres or file'),
    ]);
    expect(sink('{ view: v, postgres: { connection: mysql://h } }')).toEqual([
      expect.stringContaining('is neither postgres://... nor $NAME of a variable'),
    ]);
    expect(sink('{ view: v, postgres: { connection: $A, tabel: t } }')).toEqual([
      expect.stringContaining('did you mean "table"?'),
    ]);
  });

  it('take no table whose name PostgreSQL would cut', () => {
    const sink = (text: string) => faults({ 'sinks.yaml': `sinks:\n  a: ${text}\n` });
    const long = 'ü'.repeat(32);
    expect(sink(`{ view: v, postgres: { connection: $A, table: ${long} } }`)).toEqual([
      expect.stringContaining('is no name that PostgreSQL takes'),
    ]);
    expect(sink(`{ view: ${long}, postgres: { connection: $A } }`)).toEqual([
      expect.stringContaining('"sinks.a" has a view of a long name'),
    ]);
    expect(sink(`{ view: ${long}, postgres: { connection: $A, table: t } }`)).toEqual([]);
  });

  it('let no two sinks keep one table, or one file', () => {
    const sinks = (...lines: string[]) =>
      faults({ 'sinks.yaml': `sinks:\n${lines.map(l => `  ${l}\n`).join('')}` });
    expect(
      sinks(
        'a: { view: Totals, postgres: { connection: $A } }',
        'b: { view: v, postgres: { connection: $A, table: totals } }',
        'c: { view: v, postgres: { connection: $A, schema: other, table: totals } }',
        'd: { view: v, postgres: { connection: $B, table: totals } }',
      ),
    ).toEqual([expect.stringContaining('"sinks.b" keeps the same table as "a"')]);
    expect(
      sinks('a: { view: v, file: { path: x/v.ndjson } }', 'b: { view: w, file: { path: ./x/v.ndjson } }'),
    ).toEqual([expect.stringContaining('"sinks.b" keeps the same file as "a"')]);
  });

  it('read the memory budget: an amount, or a share of the machine', () => {
    const budget = (text: string) => {
      writeFileSync(join(folder, 'settings.yaml'), `memory: { budget: ${text} }\n`);
      return loadConfig(folder, folder).memory.budget;
    };
    expect(budget('512MiB')).toBe(512 * 1024 * 1024);
    expect(budget('50%')).toBeCloseTo(budget('25%') * 2, -1);
    expect(faults({ 'settings.yaml': 'memory: { budget: lots }\n' })).toEqual([
      expect.stringContaining('"memory.budget" is no amount of memory such as 512MiB, 2GiB or 25%'),
    ]);
  });

  it('read where Kafka is, and how one gets in', () => {
    writeFileSync(
      join(folder, 'kafka.yaml'),
      [
        'kafka:',
        '  brokers: [kafka-1:9092, kafka-2:9093]',
        '  tls: { ca: certificates/ca.pem }',
        '  sasl: { mechanism: scram-sha-512, username: millrace, password: $KAFKA_PASSWORD }',
        '  exclude: [clicks]',
      ].join('\n'),
    );
    expect(loadConfig(folder, folder).kafka).toEqual({
      brokers: ['kafka-1:9092', 'kafka-2:9093'],
      clientId: 'millrace',
      tls: { ca: join(folder, 'certificates', 'ca.pem') },
      sasl: { mechanism: 'scram-sha-512', username: 'millrace', password: '$KAFKA_PASSWORD' },
      exclude: ['clicks'],
      outputs: [],
      commands: null,
    });
    const plain = (line: string) => {
      writeFileSync(join(folder, 'kafka.yaml'), `kafka:\n  brokers: ["127.0.0.1:9092"]\n  ${line}\n`);
      return loadConfig(folder, folder).kafka?.tls;
    };
    expect([plain(''), plain('tls: false'), plain('tls: true')]).toEqual([null, null, {}]);
    expect(faults({ 'kafka.yaml': 'kafka:\n  broker: [a:1]\n  brokers: [nowhere]\n' })).toEqual([
      expect.stringContaining('is no address such as kafka-1:9092'),
      expect.stringContaining('did you mean "brokers"?'),
    ]);
  });

  it('read what may be taken from topics: nothing unless it is written', () => {
    writeFileSync(
      join(folder, 'topics.yaml'),
      [
        'topics:',
        '  kept: {}',
        '  old: { retention: { age: 30d, size: 2GiB }, acceptIncompleteRebuilds: true }',
        '  last: { cleanup: compact, keepTombstonesFor: 2d }',
      ].join('\n'),
    );
    expect([...loadConfig(folder, folder).upkeep]).toEqual([
      [
        'old',
        {
          retention: { age: 30 * 86_400_000, size: 2 ** 31, acceptIncompleteRebuilds: true },
          compaction: null,
        },
      ],
      [
        'last',
        {
          retention: null,
          compaction: { keepTombstonesFor: 2 * 86_400_000, acceptIncompleteRebuilds: false },
        },
      ],
    ]);
    const retention = (text: string) => faults({ 'topics.yaml': `topics:\n  a: { retention: ${text} }\n` });
    expect(retention('{ size: plenty }')).toEqual([
      expect.stringContaining('is no size such as 500MB or 10GiB'),
    ]);
    expect(retention('{}')).toEqual([expect.stringContaining('names neither an age nor a size')]);
  });

  it('name an unknown setting with its place and the likely one', () => {
    expect(faults({ 'settings.yaml': 'server:\n  hots: localhost\n' })).toEqual([
      'settings.yaml:2:3: unknown setting "hots" [config_invalid]\n2 |   hots: localhost\n      ^^^^\n  hint: did you mean "host"?',
    ]);
  });

  it.each([
    [
      'sinks.yaml',
      'sinks:\n  a: { view: v, tabel: t, postgres: { connection: "postgres://u:hunter2@h/d" } }\n',
      ':2:17',
    ],
    ['sinks.yaml', 'sinks:\n  a: { view: v, postgres: { connection: hunter2, table: t } }\n', ':2:41'],
    ['sinks.yaml', 'sinks:\n  a: { view: v, postgres: { connection: "postgres://u:hunter2@h/d }\n', ':3:'],
    [
      'kafka.yaml',
      'kafka:\n  brokers: [a:1]\n  sasl: { mechanism: md5, username: u, password: hunter2 }\n',
      ':3:22',
    ],
    [
      'kafka.yaml',
      'kafka:\n  brokers: [a:1]\n  sasl: { mechanism: plain, username: u, pasword: hunter2 }\n',
      ':3:42',
    ],
    [
      'kafka.yaml',
      'kafka:\n  brokers: [a:1]\n  sasl: { mechanism: plain, username: u, password: x,hunter2 }\n',
      ':3:',
    ],
    [
      'kafka.yaml',
      'kafka:\n  brokers: [a:1]\n  sasl:\n    password: >-\n      hunter2\n    mechanism: md5\n',
      ':6:16',
    ],
    ['kafka.yaml', 'kafka:\n  brokers: [a:1]\n  sasl: { password: *hunter2 }\n', ' has an alias'],
  ])('show no line that may hold a secret: %s %j', (file, text, place) => {
    const found = faults({ [file]: text });
    expect(found).not.toEqual([]);
    expect(found.join('\n')).toContain(`${file}${place}`);
    expect(found.join('\n')).not.toContain('hunter2');
  });

  it('show the lines beside those with a secret', () => {
    const lines = ['sinks:', '  a:', '    postgres:', '      connection: $A', '    veiw: v'];
    expect(faults({ 'sinks.yaml': `${lines.join('\n')}\n` }).join('\n')).toContain('5 |     veiw: v');
  });

  it('that nothing reads are a fault: their names are misspelt', () => {
    expect(faults({ 'topic.yaml': 'topics: {}\n', 'other.yml': '', 'topics.yaml': 'topics: {}\n' })).toEqual([
      expect.stringMatching(
        /other\.yml \[config_invalid\]\n {2}hint: the files are settings\.yaml, topics\.yaml, /,
      ),
      expect.stringMatching(/topic\.yaml \[config_invalid\]\n {2}hint: did you mean "topics\.yaml"\?$/),
    ]);
  });

  it('that cannot be read are named', () => {
    mkdirSync(join(folder, 'settings.yaml'));
    expect(() => loadConfig(folder, folder)).toThrow(/settings\.yaml cannot be read: EISDIR/);
  });

  it('report every fault of every file at once', () => {
    const found = faults({
      'settings.yaml': 'server:\n  port: eighty\nviews:\n  zone: Mars/Olympus\n',
      'topics.yaml': 'topics:\n  a b: {}\n  c: { partitions: 0 }\n',
      'handlers.yaml': 'reactions: [',
    });
    expect(found.map(f => f.split(' ')[0])).toEqual([
      'settings.yaml:2:9:',
      'settings.yaml:4:9:',
      'topics.yaml:2:8:',
      'topics.yaml:3:20:',
      'handlers.yaml:1:13:',
    ]);
  });
});

it('the kafka.yaml of docs/kafka.md is valid', () => {
  const page = readFileSync(join(projectRoot, 'docs', 'kafka.md'), 'utf8');
  writeFileSync(join(folder, 'kafka.yaml'), /^```yaml\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '');
  expect(loadConfig(folder, folder).kafka).toMatchObject({
    brokers: ['kafka-1:9092', 'kafka-2:9092'],
    outputs: ['large-orders'],
    commands: { group: 'millrace-invoices', partitions: 8 },
  });
});
