import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { openStateStore } from '../../src/kv/checksummed-store.ts';
import { lmdbFileDamage } from '../../src/kv/lmdb-file-check.ts';
import { until } from '../until.ts';
import { expectWhole } from './lean-check.ts';
import { requestOf } from './lean-load.ts';
import { type LeanServer, startLean, writeViews } from './lean-server.ts';
import { Trace } from './lean-trace.ts';

/** A folder that was stopped in order, to be copied and damaged. */
let original: string;

async function start(dir: string): Promise<LeanServer> {
  return startLean({ dir, clock: systemClock, reacts: () => {} });
}

beforeAll(async () => {
  original = mkdtempSync(join(tmpdir(), 'millrace-damage-'));
  writeViews(original, 1);
  const server = await start(original);
  const sent: Promise<void>[] = [];
  for (let i = 0; i < 600; i++) {
    const card = `card${i % 8}`;
    const value = Buffer.from(JSON.stringify({ card, amount: '1.25', padding: 'x'.repeat(300) }));
    const record = {
      topic: 'attempts',
      key: Buffer.from(card),
      value,
      timestamp: 1_700_000_000_000 + i * 100,
    };
    sent.push(server.log.append({ records: [record] }).durable);
  }
  await Promise.all(sent);
  await server.views.settled();
  await server.log.seal();
  // whoever handles commands has passed the sealed part
  await server.commands.submit(requestOf('c-1', 'i-1', 'SendInvoice', {}));
  await server.stop();
  return () => rmSync(original, { recursive: true, force: true });
});

function copy(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-damage-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(original, dir, { recursive: true });
  return dir;
}

function traceOf(dir: string): Trace {
  const trace = new Trace(dir);
  trace.said('s ["c-1","i-1","SendInvoice",{}]');
  trace.said('a c-1 known');
  return trace;
}

async function open(dir: string): Promise<LeanServer> {
  const server = await start(dir);
  onTestFinished(() => server.stop());
  return server;
}

/** Changes one byte where a text stands in a file; where it stands several times, everywhere. */
function flip(file: string, text: string): number {
  const handle = openSync(file, 'r+');
  const bytes = Buffer.alloc(statSync(file).size);
  readSync(handle, bytes, 0, bytes.length, 0);
  let times = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    writeSync(handle, Buffer.from([(bytes[at] ?? 0) ^ 0x20]), 0, 1, at);
    times++;
  }
  closeSync(handle);
  return times;
}

const journal = (dir: string): string => join(dir, 'state', 'journal', 'data.mdb');
const viewFile = (dir: string, view: string): string => {
  const folder = readdirSync(join(dir, 'state', 'views')).find(name => name.startsWith(`${view}@`));
  return join(dir, 'state', 'views', folder ?? '', 'data.mdb');
};

describe('what is computed from the log is made anew when it is damaged', () => {
  it('the journal with a changed byte', async () => {
    const dir = copy();
    expect(flip(journal(dir), 'sessions')).toBeGreaterThan(0);
    const server = await open(dir);
    expect(server.reports.join('\n')).toMatch(
      /every view is to be rebuilt from the log: .*journal.*damaged at key/,
    );
    await expectWhole(server, dir, traceOf(dir));
  });

  it('the journal, cut in half', async () => {
    const dir = copy();
    truncateSync(journal(dir), statSync(journal(dir)).size >> 1);
    const server = await open(dir);
    expect(server.reports.join('\n')).toMatch(
      /every view is to be rebuilt from the log: .*journal.* it ends at byte/,
    );
    await expectWhole(server, dir, traceOf(dir));
  });

  it('the journal, of which nothing is left but its name', async () => {
    const dir = copy();
    truncateSync(journal(dir), 0);
    await expectWhole(await open(dir), dir, traceOf(dir));
  });

  it('the journal, written by another version', async () => {
    const dir = copy();
    const store = openStateStore({ path: join(dir, 'state', 'journal') });
    const heads = [...store.range({})].filter(e => Buffer.from(e.key).includes('0/head'));
    expect(heads).toHaveLength(1);
    for (const { key, value } of heads) {
      const other = serialize({ ...(deserialize(value) as object), format: 1 });
      store.write(tx => tx.put(key, other));
    }
    await store.close();
    const versions = readdirSync(join(dir, 'state', 'views')).sort();
    const server = await open(dir);
    await expectWhole(server, dir, traceOf(dir));
    await until('all are other versions', () =>
      readdirSync(join(dir, 'state', 'views')).every(name => !versions.includes(name)),
    );
  });

  it('all of state/, which is gone', async () => {
    const dir = copy();
    rmSync(join(dir, 'state'), { recursive: true });
    await expectWhole(await open(dir), dir, traceOf(dir));
  });

  it('the file of a view, cut in half: that view alone', async () => {
    const dir = copy();
    truncateSync(viewFile(dir, 'sessions'), statSync(viewFile(dir, 'sessions')).size >> 1);
    const server = await open(dir);
    expect(server.reports.filter(r => r.includes('is to be rebuilt'))).toEqual([
      expect.stringMatching(/^view sessions is to be rebuilt: .*sessions.* it ends at byte/),
    ]);
    await expectWhole(server, dir, traceOf(dir));
  });

  it('a row with a changed byte: it is refused where it is read, then the view is made anew', async () => {
    const dir = copy();
    expect(flip(viewFile(dir, 'fraud'), 'card3')).toBeGreaterThan(0);
    const server = await open(dir);
    const read = () => [...server.views.open('fraud').scan()];
    expect(read).toThrow(expect.objectContaining({ code: 'state_damaged' }));
    expect(server.reports.join('\n')).toMatch(/view fraud is to be rebuilt: .*fraud.*damaged at key/);
    await until('it is rebuilt', async () => {
      await server.views.settled();
      return server.views.list().every(v => v.state === 'live');
    });
    await expectWhole(server, dir, traceOf(dir));
  });
});

describe('the log is the truth: what is damaged there is refused by name, the rest is served', () => {
  const segment = (dir: string): string =>
    join(dir, 'log', 'segments', readdirSync(join(dir, 'log', 'segments')).sort()[0] ?? '');

  it.each(['a changed byte', 'cut'])('a segment with %s', async how => {
    const dir = copy();
    if (how === 'cut') truncateSync(segment(dir), statSync(segment(dir)).size - 100);
    else expect(flip(segment(dir), 'card3')).toBeGreaterThan(0);
    const server = await open(dir);
    expect(() => [...server.log.read(0)]).toThrow(
      expect.objectContaining({
        code: 'data_corrupt',
        message: expect.stringMatching(/segments\/.* is damaged at byte/),
      }),
    );
    // what was folded is served, and new records are taken
    expect([...server.views.open('sessions').scan()].length).toBeGreaterThan(0);
    await server.log.append({ records: [{ topic: 'lines', key: null, value: Buffer.from('{"line":"on"}') }] })
      .durable;
    await until('the views go on', () => server.views.position() >= server.log.end());
  });

  it('an index that is cut off is refused at the start', async () => {
    const dir = copy();
    const index = join(dir, 'log', 'index.lmdb');
    truncateSync(index, 3 * 4096);
    await expect(start(dir)).rejects.toMatchObject({
      code: 'data_corrupt',
      message: expect.stringMatching(/index.* it ends at byte 12288/),
    });
  });
});

it('an undamaged file of LMDB is never taken for damaged', () => {
  const files = readdirSync(original, { recursive: true, encoding: 'utf8' }).filter(
    f => /\.l?mdb$/.test(f) && !f.endsWith('lock.mdb'),
  );
  expect(files.length).toBeGreaterThan(5);
  expect(files.map(f => lmdbFileDamage(join(original, f)))).toEqual(files.map(() => null));
});
