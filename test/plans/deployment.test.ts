import { describe, expect, it } from 'vitest';
import { errorText } from '../../src/core/errors.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import { planDeployment } from '../../src/plan/deployment.ts';

const ORDERS = `CREATE STREAM orders (id STRING KEY, customer STRING, amount DECIMAL(18, 2))
  WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON');`;

function deploy(
  files: Readonly<Record<string, string>>,
  sources: Readonly<Record<string, string>> = { orders: ORDERS },
) {
  const result = planDeployment(
    Object.entries(files).map(([name, text]) => ({ name, source: { file: `views/${name}.sql`, text } })),
    {
      functions: standardLibrary,
      zone: 'UTC',
      sourceFiles: Object.entries(sources).map(([name, text]) => ({
        file: `views/sources/${name}.sql`,
        text,
      })),
    },
  );
  return {
    ...result,
    views: result.plan.views.map(v => v.name),
    texts: Object.fromEntries(result.files.map(f => [f.name, f.errors.map(errorText)])),
  };
}

describe('the files of views/', () => {
  it('plan each view behind what it reads, whatever the files are called', () => {
    const { views, errors, plan } = deploy({
      a_last: 'SELECT customer, n FROM b_middle WHERE n > 1;',
      b_middle: 'CREATE VIEW b_middle AS SELECT customer, COUNT(*) AS n FROM c_first GROUP BY customer;',
      c_first: 'CREATE STREAM c_first AS SELECT * FROM orders;',
    });
    expect(errors).toEqual([]);
    expect(views).toEqual(['c_first', 'b_middle', 'a_last']);
    expect(plan.views[2]?.topics).toEqual(['orders']);
    expect(plan.views[2]?.reads).toEqual(['b_middle']);
  });

  it('plan a view behind those that only a subquery reads', () => {
    const { views, errors } = deploy({
      a: 'SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM c WHERE c.customer = o.customer);',
      b: 'WITH w AS (SELECT id FROM a) SELECT id FROM orders EXCEPT SELECT id FROM w;',
      c: 'SELECT customer, (SELECT COUNT(*) FROM d) AS n FROM orders;',
      d: 'SELECT customer FROM orders GROUP BY customer HAVING COUNT(*) > 1;',
    });
    expect(errors).toEqual([]);
    expect(views).toEqual(['d', 'c', 'a', 'b']);
  });

  it('suggest views of any file for a name that is misspelt, whichever is planned first', () => {
    const { texts } = deploy({
      a: 'SELECT n FROM totls;',
      totals: 'SELECT COUNT(*) AS n FROM orders;',
      z: 'SELECT n FROM totls;',
    });
    expect(texts.a?.join()).toContain('did you mean "totals"?');
    expect(texts.z?.join()).toContain('did you mean "totals"?');
  });

  it('name a bare SELECT after its file and take the comment before it as its description', () => {
    const { plan } = deploy({
      big: '-- Orders above 100.\nSELECT id, amount FROM orders WHERE amount > 100;',
    });
    expect(plan.views[0]).toMatchObject({
      name: 'big',
      statement: 'view',
      description: 'Orders above 100.',
      sql: 'SELECT id, amount FROM orders WHERE amount > 100',
      sink: null,
    });
  });

  it('keep the others when one is broken, and say what waits for it', () => {
    const { views, texts } = deploy({
      broken: 'SELECT amout FROM orders;',
      fine: 'SELECT amount FROM orders;',
      reader: 'SELECT amount FROM broken;',
      syntax: 'SELEC amount FROM orders;',
      reader_of_syntax: 'SELECT amount FROM syntax;',
    });
    expect(views).toEqual(['fine']);
    expect(texts.broken).toEqual([
      [
        'views/broken.sql:1:8: unknown column "amout" [unknown_column]',
        '1 | SELECT amout FROM orders;',
        '           ^^^^^',
        '  hint: did you mean "amount"?',
      ].join('\n'),
    ]);
    expect(texts.reader?.[0]).toContain('"broken" has errors of its own [invalid_statement]');
    expect(texts.reader?.[0]).toContain('hint: mend views/broken.sql first');
    expect(texts.syntax?.[0]).toContain('[syntax_error]');
    expect(texts.reader_of_syntax?.[0]).toContain('"syntax" has errors of its own');
  });

  it('refuse views that read each other, naming the circle in each of its files', () => {
    const { views, texts } = deploy({
      a: 'SELECT id FROM b;',
      b: 'SELECT id FROM c;',
      c: 'SELECT id FROM a;',
      d: 'SELECT id FROM orders;',
      e: 'SELECT id FROM a;',
    });
    expect(views).toEqual(['d']);
    expect(texts.a?.[0]).toContain('views read each other in a circle: a -> b -> c -> a [cyclic_views]');
    expect(texts.b?.[0]).toContain('b -> c -> a -> b');
    expect(texts.c?.[0]).toContain('c -> a -> b -> c');
    expect(texts.e?.[0]).toContain('"a" has errors of its own');
  });

  it('refuse a view that reads itself', () => {
    const { texts } = deploy({ me: 'SELECT id FROM me;' });
    expect(texts.me?.[0]).toContain('circle: me -> me');
  });

  it('refuse a second definition of a name and point to the first', () => {
    const { views, texts, errors } = deploy({
      orders: 'SELECT id FROM orders;',
      other: `${ORDERS.replace('orders (', 'payments (')} SELECT id FROM payments;`,
      third: `${ORDERS.replace('orders (', 'PAYMENTS (')} SELECT id FROM payments;`,
    });
    expect(views).toEqual(['other']);
    expect(texts.orders?.[0]).toContain(
      '"orders" is defined twice: here and at views/sources/orders.sql:1:15',
    );
    expect(texts.third?.[0]).toContain('"PAYMENTS" is defined twice: here and at views/other.sql:1:15');
    expect(errors.length).toBe(2);
  });

  it('refuse topics that feed themselves, and topics with two writers', () => {
    const { views, texts } = deploy({
      echo: "CREATE STREAM echo WITH (KAFKA_TOPIC = 'orders') AS SELECT * FROM orders;",
      first: "CREATE STREAM first WITH (KAFKA_TOPIC = 'out') AS SELECT * FROM orders;",
      second: "CREATE STREAM second WITH (KAFKA_TOPIC = 'out') AS SELECT * FROM orders;",
      reader: 'SELECT id FROM echo;',
      through: `CREATE STREAM back (id STRING KEY, amount DECIMAL(18, 2)) WITH (KAFKA_TOPIC = 'out', VALUE_FORMAT = 'JSON');
        CREATE STREAM through WITH (KAFKA_TOPIC = 'orders') AS SELECT * FROM back;`,
    });
    expect(views).toEqual(['first']);
    expect(texts.echo?.[0]).toContain('"echo" writes the topic "orders", from which its own rows come');
    expect(texts.second?.[0]).toContain('"second" and "first" both write the topic "out"');
    expect(texts.through?.[0]).toContain('"through" writes the topic "orders", from which its own rows come');
    expect(texts.reader?.[0]).toContain('"reader" reads a view that has errors');
  });

  it('want the view to be called like its file', () => {
    const { texts } = deploy({ totals: 'CREATE VIEW sums AS SELECT id FROM orders;' });
    expect(texts.totals?.[0]).toContain('the file views/totals.sql holds the view "sums" [name_mismatch]');
    expect(texts.totals?.[0]).toContain('hint: call the view totals, or the file sums.sql');
  });

  it('want one view in a file, after its sources', () => {
    const { texts } = deploy({
      two: 'CREATE VIEW two AS SELECT id FROM orders; SELECT id FROM orders;',
      none: '-- nothing here\n',
      rows: "INSERT INTO orders (id) VALUES ('a'); SELECT id FROM orders;",
      late: `SELECT id FROM orders; ${ORDERS.replace('orders (', 'late_source (')}`,
    });
    expect(texts.two?.[0]).toContain('a file in views/ holds one view only');
    expect(texts.none?.[0]).toContain('the file holds no view');
    expect(texts.rows?.[0]).toContain('rows and assertions belong into a test file');
    expect(texts.late?.[0]).toContain('sources are declared before the view');
  });

  it('report broken sources and keep the good ones', () => {
    const { errors, views } = deploy(
      { fine: 'SELECT id FROM orders;' },
      {
        bad: "CREATE STREAM bad (id STRNG KEY) WITH (KAFKA_TOPIC = 'b', VALUE_FORMAT = 'JSON');",
        orders: ORDERS,
      },
    );
    expect(views).toEqual(['fine']);
    expect(errors.map(errorText)[0]).toContain('views/sources/bad.sql:1:23: unknown type "STRNG"');
  });
});

describe('the fingerprint of a view', () => {
  const VIEW = 'CREATE VIEW v AS SELECT customer, SUM(amount) AS total FROM orders GROUP BY customer;';
  const of = (sql: string, sources = ORDERS) => {
    const { plan, errors } = deploy({ v: sql }, { orders: sources });
    expect(errors.map(errorText)).toEqual([]);
    return plan.views[0]?.fingerprint ?? '';
  };

  it.each([
    ['spacing and comments', VIEW.replace('SELECT', '-- why\n  SELECT  /* so */ ')],
    [
      'the case of keywords and names of sources',
      VIEW.replace('FROM orders GROUP BY', 'from ORDERS group by'),
    ],
    [
      'an alias of a relation',
      VIEW.replace('FROM orders', 'FROM orders o').replace('SUM(amount)', 'SUM(o.amount)'),
    ],
  ])('does not change with %s', (_, sql) => {
    expect(sql).not.toBe(VIEW);
    expect(of(sql)).toBe(of(VIEW));
  });

  it('does not change with the name of a lambda parameter', () => {
    const lambda = (x: string) => of(`SELECT TRANSFORM(ARRAY[amount], ${x} => ${x} * 2) AS a FROM orders;`);
    expect(lambda('x')).toBe(lambda('longer'));
  });

  it.each([
    ['another aggregate', VIEW.replace('SUM', 'MAX')],
    ['a condition', VIEW.replace('FROM orders', 'FROM orders WHERE amount > 0')],
    ['another literal', VIEW.replace('SUM(amount)', 'SUM(amount * 2)')],
    ['the name of a column', VIEW.replace('total', 'sum')],
    ['strict meaning', VIEW.replace('VIEW', 'TABLE')],
  ])('changes with %s', (_, sql) => {
    expect(sql).not.toBe(VIEW);
    expect(of(sql)).not.toBe(of(VIEW));
  });

  it('changes with the declaration of its source', () => {
    expect(of(VIEW, ORDERS.replace("'orders'", "'orders-2'"))).not.toBe(of(VIEW));
    expect(of(VIEW, ORDERS.replace('DECIMAL(18, 2)', 'DECIMAL(12, 2)'))).not.toBe(of(VIEW));
    expect(of(VIEW, `-- a description\n${ORDERS}`)).toBe(of(VIEW));
  });

  it('changes with the views below it and with nothing beside it', () => {
    const with_ = (below: string, beside: string) => {
      const { plan } = deploy({ v: 'SELECT customer FROM below;', below, beside });
      return plan.views.find(v => v.name === 'v')?.fingerprint;
    };
    const first = with_('SELECT customer FROM orders;', 'SELECT id FROM orders;');
    expect(with_('SELECT customer FROM orders;', 'SELECT amount FROM orders;')).toBe(first);
    expect(with_("SELECT customer FROM orders WHERE customer <> '';", 'SELECT id FROM orders;')).not.toBe(
      first,
    );
  });

  it('changes with the zone and with the version of a function', () => {
    const plan = (zone: string, version: number) => {
      const abs = standardLibrary.find('ABS');
      if (abs?.kind !== 'scalar') throw new Error('ABS is gone');
      const functions = standardLibrary.with([{ ...abs, name: 'OWN_ABS', aliases: [], version }]);
      const source = { file: 'v.sql', text: 'SELECT OWN_ABS(amount) AS a FROM orders;' };
      const sourceFiles = [{ file: 'orders.sql', text: ORDERS }];
      const result = planDeployment([{ name: 'v', source }], { functions, zone, sourceFiles });
      return result.plan.views[0]?.fingerprint;
    };
    expect(plan('UTC', 1)).toBe(plan('UTC', 1));
    expect(plan('UTC', 2)).not.toBe(plan('UTC', 1));
    expect(plan('Europe/Berlin', 1)).not.toBe(plan('UTC', 1));
  });

  it('stands in a plan that nobody can change', () => {
    const { plan } = deploy({ v: VIEW });
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(plan)).toBe(true);
  });
});

describe('INSERT INTO in the files of views/', () => {
  const AUDIT = `CREATE STREAM Audit (id STRING KEY, amount DECIMAL(20, 2))
    WITH (KAFKA_TOPIC = 'audit', VALUE_FORMAT = 'JSON');`;
  const sources = { orders: ORDERS, audit: AUDIT };

  it('adds queries to the stream of the file: one union, which records of its topic join', () => {
    const { errors, plan } = deploy({
      big: `CREATE STREAM big AS SELECT id, amount FROM orders WHERE amount > 100;
        INSERT INTO BIG SELECT id, amount FROM orders WHERE amount < 0;`,
      reader: 'SELECT COUNT(*) AS n FROM big;',
    });
    expect(errors).toEqual([]);
    const [big, reader] = plan.views;
    const root = big?.root;
    expect(root?.node === 'union' && root.inputs.map(i => i.node)).toEqual(['scan', 'filter', 'filter']);
    expect(big).toMatchObject({ name: 'big', reads: ['orders'], topics: ['big', 'orders'] });
    expect(reader).toMatchObject({ reads: ['big'], topics: ['big', 'orders'] });
  });

  it('feeds a declared stream, which its readers then read', () => {
    const { errors, plan } = deploy(
      {
        audit: 'INSERT INTO audit SELECT id, amount FROM orders;',
        a_reader: 'CREATE STREAM a_reader AS SELECT * FROM audit;',
      },
      sources,
    );
    expect(errors).toEqual([]);
    expect(plan.views.map(v => [v.name, v.statement, v.sink?.topic, v.reads])).toEqual([
      ['Audit', 'stream', 'audit', ['orders']],
      ['a_reader', 'stream', 'a_reader', ['Audit']],
    ]);
  });

  it.each([
    [
      'of another stream',
      { other: 'INSERT INTO audit SELECT id, amount FROM orders;' },
      /move this one to audit.sql/,
    ],
    ['of nothing', { gone: 'INSERT INTO gone SELECT id, amount FROM orders;' }, /unknown stream "gone"/],
    [
      'of itself',
      { audit: 'INSERT INTO audit SELECT id, amount FROM audit;' },
      /in a circle: audit -> audit/,
    ],
    [
      'of a view',
      { v: 'SELECT id, amount FROM orders; INSERT INTO v SELECT id, amount FROM orders;' },
      /cannot insert into "v": it is a view/,
    ],
    [
      'whose rows come out of its own topic',
      {
        loop: `CREATE STREAM again (id STRING KEY, amount DECIMAL(18, 2)) WITH (KAFKA_TOPIC = 'l', VALUE_FORMAT = 'JSON');
          CREATE STREAM loop WITH (KAFKA_TOPIC = 'l') AS SELECT id, amount FROM orders;
          INSERT INTO loop SELECT id, amount FROM again;`,
      },
      /writes the topic "l", from which its own rows come/,
    ],
    [
      'that lacks a column',
      { audit: 'INSERT INTO audit SELECT id, customer FROM orders;' },
      /the query has no column "amount" of "Audit"/,
    ],
  ])('is refused as a query %s', (_, files, message) => {
    const { texts } = deploy(files, sources);
    expect(Object.values(texts).flat().join()).toMatch(message);
  });
});
