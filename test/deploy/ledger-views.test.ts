import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/dataflow/ledger.ts';
import { withLedger } from '../../src/deploy/ledger-views.ts';
import type { ViewAccess, ViewStatus } from '../../src/deploy/view-access.ts';

const HOUR = 3_600_000;

/** views of files: only their names matter here */
function filesNamed(...names: string[]): ViewAccess {
  const none = () => {
    throw new Error('asked of the files');
  };
  return {
    list: () => names.map(name => ({ name }) as ViewStatus),
    status: none,
    open: none,
    position: () => 100,
    waitFor: async () => true,
    subscribe: none,
    replay: none,
    cancelReplay: none,
  };
}

function ledgerWith(late: number): Ledger {
  const ledger = new Ledger();
  for (let i = 0; i < late; i++) {
    ledger.add({
      view: 'v',
      reason: 'late',
      seq: i,
      appendTime: Math.floor(i / 2) * HOUR,
      message: `row ${i}`,
    });
  }
  ledger.add({ view: 'a', reason: 'null_key', seq: 7, appendTime: 0, message: 'no key' });
  return ledger;
}

describe('law 5, nothing vanishes: the ledger as views', () => {
  it('counts exactly per view, reason and hour, in order of the key', () => {
    const ledger = withLedger(filesNamed(), () => ledgerWith(5)).open('LEDGER');
    expect([...ledger.scan()].map(r => r.row)).toEqual([
      ['a', 'null_key', 0, 1n],
      ['v', 'late', 0, 2n],
      ['v', 'late', HOUR, 2n],
      ['v', 'late', 2 * HOUR, 1n],
    ]);
    expect(ledger.get(['v', 'late', HOUR])?.row[3]).toBe(2n);
    expect([...ledger.scan({ prefix: ['v'], reverse: true })].map(r => r.row[3])).toEqual([1n, 2n, 2n]);
  });

  it('keeps the first and the last thousand places of each, and pages through them', () => {
    const records = withLedger(filesNamed(), () => ledgerWith(5_000)).open('ledger_records');
    const late = [...records.scan({ prefix: ['v', 'late'] })];
    expect(late).toHaveLength(2_000);
    expect(late.map(r => r.row[2]).slice(999, 1_001)).toEqual([999n, 4_000n]);
    expect([...records.scan({ prefix: ['v', 'late'], after: late[1]?.key })][0]?.row[5]).toBe('row 2');
  });

  it('lists each place once while the first and the last thousand overlap, after a restart too', () => {
    const restored = new Ledger();
    restored.load(structuredClone(ledgerWith(1_500).state()));
    const records = withLedger(filesNamed(), () => restored).open('ledger_records');
    const sequences = [...records.scan({ prefix: ['v', 'late'] })].map(r => Number(r.row[2]));
    expect(sequences).toEqual(Array.from({ length: 1_500 }, (_, i) => i));
  });

  it('tells several rows of one record apart', () => {
    const ledger = new Ledger();
    for (const message of ['first', 'second'])
      ledger.add({ view: 'v', reason: 'expression_failed', seq: 3, appendTime: 0, message });
    const rows = [
      ...withLedger(filesNamed(), () => ledger)
        .open('ledger_records')
        .scan(),
    ];
    expect(rows.map(r => r.row.slice(3))).toEqual([
      [0n, 0, 'first'],
      [1n, 0, 'second'],
    ]);
  });

  it('is listed beside the views of the files, and gives way to a file of its name', () => {
    expect(
      withLedger(filesNamed('x'), () => new Ledger())
        .list()
        .map(v => v.name),
    ).toEqual(['ledger', 'ledger_records', 'x']);
    const views = withLedger(filesNamed('Ledger'), () => new Ledger());
    expect(views.list().map(v => v.name)).toEqual(['Ledger', 'ledger_records']);
    expect(() => views.open('ledger')).toThrow('asked of the files');
  });

  it('is read, not followed or replayed', async () => {
    const views = withLedger(filesNamed(), () => new Ledger());
    expect(() => views.subscribe('ledger', null, { changes() {}, reset() {} })).toThrow('kept by the server');
    await expect(views.replay('ledger')).rejects.toThrow('kept by the server');
  });
});
