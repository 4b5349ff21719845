import { describe, expect, it } from 'vitest';
import { splitScript } from '../../../src/cli/import/split-script.ts';

const split = (text: string) => splitScript({ file: 'script.sql', text });
const texts = (text: string) => Object.fromEntries(split(text).files.map(f => [f.path, f.text]));
const decided = (text: string) => split(text).decisions.map(d => `${d.line}: ${d.decide}`);

const SOURCE =
  "CREATE STREAM sensors (id STRING KEY, c DOUBLE) WITH (KAFKA_TOPIC = 'sensors', VALUE_FORMAT = 'JSON');";

describe('a KSQL script', () => {
  it('becomes one file for each view and each source, with its comments and its layout', () => {
    const script = `-- Licensed to the lab.

-- All sensors.
${SOURCE} -- one topic for all

/* warm
   ones */
CREATE STREAM WARM AS
  SELECT id, c -- degrees
  FROM sensors
  WHERE c > 20 EMIT CHANGES;
`;
    expect(texts(script)).toEqual({
      'sources/sensors.sql': `-- Licensed to the lab.\n\n-- All sensors.\n${SOURCE} -- one topic for all\n`,
      'WARM.sql':
        '/* warm\n   ones */\nCREATE STREAM WARM AS\n  SELECT id, c -- degrees\n  FROM sensors\n  WHERE c > 20 EMIT CHANGES;\n',
    });
    expect(split(script).decisions).toEqual([]);
  });

  it('has the values of DEFINE in place of the variables, quotes doubled inside of texts', () => {
    const script = `-- the threshold of the lab
DEFINE low = '18';
DEFINE lab = 'Bo''s';
CREATE STREAM COLD AS SELECT id, '\${lab} lab' AS lab FROM sensors WHERE c < \${low};
UNDEFINE low;`;
    expect(texts(script)).toEqual({
      'COLD.sql':
        "-- the threshold of the lab\nCREATE STREAM COLD AS SELECT id, 'Bo''s lab' AS lab FROM sensors WHERE c < 18;\n",
    });
  });

  it('has its types in a file that is read before the sources', () => {
    const script =
      'CREATE TYPE point AS STRUCT<x INT, y INT>;\nCREATE TYPE line AS ARRAY<point>;\nCREATE TYPE point AS INT;';
    expect(texts(script)).toEqual({
      'sources/0-types.sql':
        'CREATE TYPE point AS STRUCT<x INT, y INT>;\n\nCREATE TYPE line AS ARRAY<point>;\n',
    });
    expect(decided(script)).toEqual([
      '3: line 1 creates this type already and is kept: give this one another name',
    ]);
  });

  it('has the queries of INSERT INTO in the file of their stream', () => {
    const script = `${SOURCE}\nCREATE STREAM both AS SELECT * FROM sensors;\nINSERT INTO BOTH SELECT * FROM other;
      INSERT INTO sensors SELECT * FROM other;`;
    expect(texts(script)).toMatchObject({
      'both.sql': 'CREATE STREAM both AS SELECT * FROM sensors;\n\nINSERT INTO BOTH SELECT * FROM other;\n',
      'sensors.sql': 'INSERT INTO sensors SELECT * FROM other;\n',
    });
  });

  it('carries default formats into every later file', () => {
    const set = "SET 'ksql.persistence.default.format.value' = 'JSON';";
    expect(texts(`${set}\nCREATE STREAM A1 AS SELECT * FROM sensors;`)).toEqual({
      'A1.sql': `${set}\nCREATE STREAM A1 AS SELECT * FROM sensors;\n`,
    });
  });
});

describe('what has no place in a folder of views', () => {
  it.each([
    ["SET 'auto.offset.reset' = 'earliest';", /from the beginning: leave it out/],
    ["INSERT INTO sensors (id, c) VALUES ('a', 1);", /sensors.test.sql/],
    ['DROP STREAM IF EXISTS gone;', /nothing has to be dropped/],
    ['ALTER STREAM sensors ADD COLUMN d INT;', /add the columns there/],
    ["CREATE SINK CONNECTOR c WITH ('a' = 'b');", /Kafka Connect/],
    ['SHOW STREAMS;', /only shows something/],
    ['SELECT * FROM sensors EMIT CHANGES;', /make it a view/],
  ])('%s is listed with its line and what to decide', (statement, decide) => {
    const { files, decisions, errors } = split(`\n\n${statement}`);
    expect({ files, errors }).toEqual({ files: [], errors: [] });
    expect(decisions).toEqual([
      { line: 3, statement: statement.slice(0, -1), decide: expect.stringMatching(decide), comment: '' },
    ]);
  });

  it('brings its comments along', () => {
    const [decision] = split('-- by the lab\n\n/* all */ SHOW STREAMS;').decisions;
    expect(decision?.comment).toBe('-- by the lab\n\n/* all */');
  });

  it('a DROP names the line that created', () => {
    expect(decided(`${SOURCE}\nDROP STREAM Sensors;`)[0]).toMatch(/^2: line 1 creates it/);
  });
});

describe('names', () => {
  it('that no file can have are listed and never leave the folder', () => {
    for (const name of ['../up', '.hidden', 'a.test', 'a:b', 'x'.repeat(200)]) {
      const { files, decisions } = split(`CREATE STREAM \`${name}\` AS SELECT * FROM sensors;`);
      expect(files).toEqual([]);
      expect(decisions).toHaveLength(1);
    }
  });

  it('that differ only in case do not share a file', () => {
    const script = 'CREATE STREAM `a` AS SELECT * FROM s;\nCREATE STREAM `A` AS SELECT * FROM s;';
    expect(Object.keys(texts(script))).toEqual(['a.sql']);
    expect(decided(script).at(-1)).toBe('2: its file would be a.sql of line 1: rename one of them');
  });

  it('defined twice: the first counts, OR REPLACE takes the last', () => {
    const twice = (second: string) => Object.values(texts(`CREATE STREAM V AS SELECT a FROM s;\n${second}`));
    expect(twice('CREATE STREAM V AS SELECT b FROM s;')).toEqual(['CREATE STREAM V AS SELECT a FROM s;\n']);
    expect(twice('CREATE OR REPLACE STREAM V AS SELECT b FROM s;')).toEqual([
      'CREATE OR REPLACE STREAM V AS SELECT b FROM s;\n',
    ]);
  });

  it('that are reserved here come with the way to write them', () => {
    const [error] = split('CREATE STREAM V AS SELECT a AS union FROM s;').errors;
    expect(error?.hint).toContain('`union`');
  });

  it('of topics that ksqlDB spells otherwise are told', () => {
    expect(decided('CREATE STREAM warm AS SELECT * FROM s;')[0]).toContain("KAFKA_TOPIC = 'WARM'");
  });
});
