import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { until } from '../until.ts';
import { expectWhole } from './lean-check.ts';
import { sendCommand } from './lean-load.ts';
import { startLean, writeViews } from './lean-server.ts';
import { Trace } from './lean-trace.ts';

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-folder-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const NOW = Date.UTC(2030, 0, 1, 12);

async function open(dir: string): Promise<EventLog> {
  const log = await openEmbeddedLog({ dir, clock: new ManualClock(NOW) });
  onTestFinished(() => log.close());
  return log;
}

describe('one process has a data folder', () => {
  it('a second one is told which, where and since when', async () => {
    const dir = folder();
    await open(dir);
    await expect(open(dir)).rejects.toMatchObject({
      code: 'data_folder_locked',
      message: expect.stringContaining(`process ${process.pid} since 2030-01-01T12:00:00.000Z`),
      data: { pid: process.pid, host: hostname(), since: '2030-01-01T12:00:00.000Z' },
    });
  });

  it('even when its folder was given another name meanwhile', async () => {
    const dir = folder();
    await open(join(dir, 'a'));
    renameSync(join(dir, 'a'), join(dir, 'b'));
    await expect(open(join(dir, 'b'))).rejects.toMatchObject({ code: 'data_folder_locked' });
    renameSync(join(dir, 'b'), join(dir, 'a'));
  });

  it('one on another machine is taken for alive', async () => {
    const dir = folder();
    await (await open(dir)).close();
    const holder = {
      pid: 1,
      host: 'elsewhere',
      started: '1',
      since: NOW,
      folder: { path: '/other', id: '0:0' },
    };
    writeFileSync(join(dir, 'lock'), JSON.stringify(holder));
    await expect(open(dir)).rejects.toMatchObject({
      code: 'data_folder_locked',
      data: { pid: 1, host: 'elsewhere' },
      hint: expect.stringContaining('if its machine is gone'),
    });
  });

  it('the lock of a dead one is taken over, and of one whose number another process has now', async () => {
    const dir = folder();
    const log = await open(dir);
    const mine = JSON.parse(readFileSync(join(dir, 'lock'), 'utf8'));
    await log.close();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    for (const holder of [
      { ...mine, pid: dead },
      { ...mine, started: '1' },
    ]) {
      writeFileSync(join(dir, 'lock'), JSON.stringify(holder));
      const next = await open(dir);
      expect(next.recovery).toEqual([
        `took over the folder from process ${holder.pid}, which ended without closing the log`,
      ]);
      await next.close();
    }
  });

  it('a copy of its folder is another one', async () => {
    const dir = folder();
    const log = await open(join(dir, 'original'));
    log.createTopic({ name: 'a', partitions: 1, keyIndex: false });
    await log.append({ records: [{ topic: 'a', key: null, value: Buffer.from('one') }] }).durable;
    cpSync(join(dir, 'original'), join(dir, 'copy'), { recursive: true });
    const copy = await open(join(dir, 'copy'));
    expect(copy.recovery).toEqual([
      `the folder is a copy of one that process ${process.pid} has: it is another one from here on`,
    ]);
    await copy.append({ records: [{ topic: 'a', key: null, value: Buffer.from('two') }] }).durable;
    expect(log.readTopic('a', { limit: 10 }).length).toBe(1);
    expect(copy.readTopic('a', { limit: 10 }).length).toBe(2);
  });
});

it('a clock that is set back stops the time of the log, and nothing else', async () => {
  const dir = folder();
  const trace = new Trace(dir);
  writeViews(dir, 1);
  const clock = new ManualClock(Date.UTC(2030, 0, 1, 23));
  const start = () => startLean({ dir, clock, reacts: seq => trace.said(`r ${seq}`) });
  let server = await start();
  onTestFinished(() => server.stop());
  const send = (id: string, invoice: string, type: string, data: unknown = {}) =>
    sendCommand(server, line => trace.said(line), [id, invoice, type, data]);
  const sent = async (n: number): Promise<void> => {
    await send(`create-${n}`, `i-${n}`, 'CreateInvoice', {
      customer_id: 'c',
      customer_name: 'Customer',
      customer_email: 'c@example.org',
      currency: 'EUR',
      due_date: '2030-01-01',
      line_items: [{ description: 'work', quantity: 1, unit_price: '10.50', tax_rate: 0 }],
    });
    await send(`send-${n}`, `i-${n}`, 'SendInvoice');
    await send(`pay-${n}`, `i-${n}`, 'RecordPayment', { amount: '0.75' });
  };
  const overdue = () => [...server.views.open('overdue').scan()].map(r => r.row[0]);
  await sent(1);
  await server.views.settled();
  expect(overdue()).toEqual([]);
  // midnight passes with no record: a tick brings the row
  clock.set(Date.UTC(2030, 0, 2, 0, 0, 1));
  await until('the day has turned', () => overdue().length === 1);
  const late = server.log.lastAppendTime();

  // an hour back, over a restart too: what was overdue stays so, new records have the time that was reached
  clock.set(Date.UTC(2030, 0, 1, 23));
  await send('pay-more', 'i-1', 'RecordPayment', { amount: '0.25' });
  expect(server.log.lastAppendTime()).toBe(late);
  await server.stop();
  server = await start();
  expect(server.log.lastAppendTime()).toBe(late);
  expect(overdue()).toEqual(['i-1']);
  await send('pay-again', 'i-1', 'RecordPayment', { amount: '0.25' });
  const times = [...server.log.read(0)].flatMap(b => [...b.appendTime.subarray(0, b.n)]);
  expect(times).toEqual([...times].sort((a, b) => a - b));

  // and on again
  clock.set(Date.UTC(2030, 0, 2, 9));
  await send('pay-last', 'i-1', 'RecordPayment', { amount: '0.25' });
  expect(server.log.lastAppendTime()).toBe(clock.now());
  await expectWhole(server, dir, trace);
  expect(trace.reactedTo.size).toBe(4);
});
