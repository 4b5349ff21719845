import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { EventReader } from './event-reader.ts';
import { type HttpFixture, httpFixture } from './http-fixture.ts';
import { createCommand, SEND } from './invoice-commands.ts';

type Message = Record<string, unknown> & { readonly type: string; readonly position: string };

let http: HttpFixture;
let url: string;

beforeEach(async () => {
  http = await httpFixture();
  url = await http.listen();
});

afterEach(() => http.close());

const command = (id: string, body: string) => http.post(`/invoices/${id}/commands`, body);

/** A WebSocket client that reads one message when it is asked to; null when the socket is closed. */
async function socket(path: string, headers = {}) {
  const ws = new WebSocket(url.replace('http', 'ws') + path, { headers });
  const messages: Message[] = [];
  const wakes: (() => void)[] = [];
  let closed: number | null = null;
  const wake = () => {
    for (const resolve of wakes.splice(0)) resolve();
  };
  ws.on('message', data => {
    messages.push(JSON.parse(String(data)) as Message);
    wake();
  });
  ws.on('close', code => {
    closed = code;
    wake();
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', () => resolve());
    ws.once('error', reject);
  });
  const next = async (): Promise<Message | null> => {
    for (;;) {
      const message = messages.shift();
      if (message !== undefined) return message;
      if (closed !== null) return null;
      await new Promise<void>(resolve => wakes.push(resolve));
    }
  };
  return { ws, next, closed: () => closed };
}

const what = (message: Message | null) => {
  const { type, entityId, event, result } = (message ?? { type: 'closed' }) as {
    type: string;
    entityId?: string;
    event?: { type: string };
    result?: { entityId: string; type: string };
  };
  return [type, entityId ?? result?.entityId, event?.type ?? result?.type]
    .filter(x => x !== undefined)
    .join(' ');
};

describe('updates over a WebSocket', () => {
  it('tell every event and result, in order, with their position', async () => {
    const { next, ws } = await socket('/updates');
    expect(await next()).toEqual({ type: 'open', position: 'testlog-0' });
    const result = (await command('i1', createCommand())).json();
    expect(await next()).toEqual({
      type: 'event',
      position: result.position,
      entity: 'invoice',
      entityId: 'i1',
      commandId: result.commandId,
      origin: null,
      event: result.events[0],
    });
    expect(await next()).toEqual({ type: 'result', position: result.position, result });
    ws.close();
  });

  it('are narrowed to results of an origin and events of an invoice', async () => {
    const mine = await socket('/updates?origin=desk');
    const one = await socket('/updates?invoice=i2');
    const all = await socket('/updates?invoice=*&origin=desk');
    for (const { next } of [mine, one, all]) await next();
    await command('i1', createCommand('"origin":"phone",'));
    await command('i2', createCommand('"origin":"desk",'));
    expect([what(await mine.next())]).toEqual(['result i2 CreateInvoice']);
    expect([what(await one.next())]).toEqual(['event i2 InvoiceCreated']);
    expect([what(await all.next()), what(await all.next()), what(await all.next())]).toEqual([
      'event i1 InvoiceCreated',
      'event i2 InvoiceCreated',
      'result i2 CreateInvoice',
    ]);
    for (const { ws } of [mine, one, all]) ws.close();
  });

  it('tell refusals too', async () => {
    const { next, ws } = await socket('/updates?origin=desk');
    await next();
    await command('i1', '{"type":"SendInvoice","origin":"desk"}');
    expect(await next()).toMatchObject({ type: 'result', result: { status: 'rejected', events: [] } });
    ws.close();
  });

  it('resume behind a position, each once', async () => {
    const first = (await command('i1', createCommand())).json();
    await command('i1', SEND);
    const { next, ws } = await socket(`/updates?after=${first.position}&invoice=i1`);
    expect(await next()).toEqual({ type: 'open', position: first.position });
    expect(what(await next())).toBe('event i1 InvoiceSent');
    await command('i1', '{"type":"VoidInvoice","data":{"reason":"x"}}');
    expect(what(await next())).toBe('event i1 InvoiceVoided');
    ws.close();
  });

  it('are refused before the connection is made', async () => {
    const status = (path: string, headers = {}) =>
      new Promise<number>((resolve, reject) => {
        const ws = new WebSocket(url.replace('http', 'ws') + path, { headers });
        ws.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
        ws.on('error', () => {});
        ws.on('open', () => reject(new Error('opened')));
      });
    expect(await status('/updates?orgin=x')).toBe(400);
    expect(await status('/updates?after=other-1')).toBe(409);
    expect(await status('/updates?after=testlog-zz')).toBe(409);
    expect(await status('/updates', { origin: 'https://evil.example' })).toBe(403);
    expect(await status('/updates', { host: 'evil.example' })).toBe(403);
    expect(await status('/nothing')).toBe(404);
  });

  it('end when a client does not read, with a position to resume at', async () => {
    const { ws, next, closed } = await socket('/updates');
    await next();
    ws.pause();
    const items = Array.from({ length: 80 }, () => `{"description":"${'x'.repeat(400)}","unit_price":1}`);
    const wide = createCommand().replace(/"line_items":\[.*\]/, `"line_items":[${items.join(',')}]`);
    const isOpen = () => [...http.app.websocketServer.clients].some(c => c.readyState === WebSocket.OPEN);
    // how much the kernel holds for a socket is not known: it is filled until the server lets go
    for (let i = 0; isOpen() && i < 2000; i++) await command(`i${i}`, wide);
    expect(isOpen()).toBe(false);
    ws.resume();
    let last: Message | null = null;
    let before: Message | null = null;
    for (let message = await next(); message !== null; message = await next()) {
      before = last;
      last = message;
    }
    expect(closed()).toBe(1013);
    expect(last).toMatchObject({ type: 'dropped', position: before?.position });
  });

  it('end when the server closes', async () => {
    const { next, closed } = await socket('/updates');
    await next();
    await http.app.close();
    expect(await next()).toBeNull();
    expect([1001, 1005]).toContain(closed());
  });
});

describe('updates as server-sent events', () => {
  it('leave nothing behind when there is no room for one more', async () => {
    let listening = 0;
    const { commands } = http.ports;
    const onResult = commands.onResult.bind(commands);
    vi.spyOn(commands, 'onResult').mockImplementation((origin, listener) => {
      const stop = onResult(origin, listener);
      listening++;
      return () => {
        listening--;
        stop();
      };
    });
    const open = [];
    for (let i = 0; i < 3; i++) open.push(await EventReader.connect(`${url}/updates`));
    for (const events of open) await events.next();
    expect(listening).toBe(3);
    expect((await fetch(`${url}/updates`)).status).toBe(503);
    expect(listening).toBe(3);
    for (const events of open) events.close();
    await vi.waitFor(() => expect(listening).toBe(0));
  });

  it('tell the same, with positions as ids to resume at', async () => {
    const events = await EventReader.connect(`${url}/updates`);
    expect(await events.next()).toMatchObject({ event: 'open', id: 'testlog-0' });
    const result = (await command('i1', createCommand())).json();
    const [event, told] = await events.take(2);
    expect(event).toMatchObject({ event: 'event', id: undefined, data: { event: result.events[0] } });
    expect(told).toMatchObject({ event: 'result', id: result.position, data: { result } });
    events.close();
    await command('i1', SEND);
    const again = await EventReader.connect(`${url}/updates?invoice=*`, { 'last-event-id': result.position });
    expect((await again.take(2)).map(e => what(e.data as Message))).toEqual(['open', 'event i1 InvoiceSent']);
    again.close();
  });
});
