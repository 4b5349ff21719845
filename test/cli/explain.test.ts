import { describe, expect, it } from 'vitest';
import { millrace } from './command-line.ts';

const WRONG = 'test/cli/wrong-files';

describe('explain', () => {
  it('shows the plan of a view by its name, in any case', async () => {
    const ran = await millrace(['explain', 'POSSIBLE_FRAUD']);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(/^TABLE possible_fraud: upsert\n {2}card_number STRING key\n/);
    expect(ran.out).toContain('tumbling window, size 5 s');
  });

  it('of a file, beside the sources of its folder, whatever the other files hold', async () => {
    const ran = await millrace(['explain', `${WRONG}/right_orders_by_customer.sql`]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('stream orders, topic orders: order_id, customer, amount');
    const named = await millrace(['explain', 'right_orders_by_customer', '--views', WRONG]);
    expect(named.out).toBe(ran.out);
  });

  it('as JSON', async () => {
    const ran = await millrace(['explain', 'possible_fraud', '--json']);
    expect(JSON.parse(ran.out)).toMatchObject({ name: 'possible_fraud', statement: 'table', kind: 'upsert' });
  });

  it.each([
    [
      ['possible_frau'],
      'there is no view "possible_frau" [unknown_view]\n  hint: did you mean "possible_fraud"?\n',
    ],
    [['unknown_column', '--views', WRONG], `${WRONG}/unknown_column.sql:2:18: unknown column "amuont"`],
    [[`${WRONG}/unknown_column.sql`], `${WRONG}/unknown_column.sql:2:18: unknown column "amuont"`],
    [['orders', '--views', WRONG], '"orders" is a source'],
    [['no/such.sql'], 'there is no file or folder "no/such.sql" [not_found]\n'],
  ])('%j is refused in words', async (args, text) => {
    const ran = await millrace(['explain', ...args]);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err.startsWith(text), ran.err).toBe(true);
    expect(ran.err).not.toContain('    at ');
  });
});

describe('functions', () => {
  it('shows one function, by an alias too', async () => {
    expect((await millrace(['functions', 'upper'])).out).toBe(
      'UCASE (scalar function, STRING); also UPPER\nThe string in capital letters.\n  UCASE(STRING) -> STRING\n',
    );
  });

  it('lists all, those of pipelines/ too', async () => {
    const { out } = await millrace(['functions', '--json']);
    const names = (JSON.parse(out) as { name: string }[]).map(f => f.name);
    expect(names).toContain('SUBSTRING');
    expect(names).toContain('NET_OF');
    expect((await millrace(['functions'])).out.trim().split('\n')).toHaveLength(names.length);
  });

  it('suggests a name', async () => {
    expect(await millrace(['functions', 'uppper'])).toMatchObject({
      code: 1,
      err: 'there is no function "uppper" [unknown_function]\n  hint: did you mean UPPER?\n',
    });
  });
});
