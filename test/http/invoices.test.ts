import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpFixture, httpFixture, NOW } from './http-fixture.ts';
import { createCommand, payCommand, SEND } from './invoice-commands.ts';

let http: HttpFixture;

beforeEach(async () => {
  http = await httpFixture();
});

afterEach(() => http.close());

const command = (body: string, headers = {}, id = 'i1') =>
  http.post(`/invoices/${id}/commands`, body, headers);

describe('a command', () => {
  it('answers with its result and the position of a view that has seen it', async () => {
    const response = await command(createCommand('"commandId":"c-1","origin":"desk",'));
    expect(response.statusCode, response.body).toBe(200);
    const result = response.json();
    expect(result).toMatchObject({
      commandId: 'c-1',
      type: 'CreateInvoice',
      entity: 'invoice',
      entityId: 'i1',
      origin: 'desk',
      status: 'accepted',
      error: null,
      version: 1,
      position: `testlog-${http.ports.log.end().toString(36)}`,
    });
    expect(result.events.map((e: { type: string }) => e.type)).toEqual(['InvoiceCreated']);
    expect(response.headers['millrace-position']).toBe(result.position);
  });

  it('gives its first result again when it is sent again, by its id in the body or the header', async () => {
    const first = (await command(createCommand('"commandId":"c-1",'))).json();
    const again = (await command(createCommand('"commandId":"c-1",'))).json();
    const header = (await command(createCommand(), { 'idempotency-key': 'c-1' })).json();
    const quoted = (await command(createCommand(), { 'idempotency-key': '"c-1"' })).json();
    expect([again, header, quoted]).toEqual([first, first, first]);
    expect(
      (await command(createCommand('"commandId":"c-1",'), { 'idempotency-key': 'c-2' })).json(),
    ).toMatchObject({ status: 400, code: 'request_invalid' });
  });

  it('that is refused is a problem of its own code, with all that the result says', async () => {
    await command(createCommand());
    const response = await command(createCommand('"commandId":"c-2",'));
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.json()).toMatchObject({
      status: 422,
      code: 'already_exists',
      title: 'Already exists',
      detail: 'invoice "i1" exists already',
      hint: 'choose another id',
      retriable: false,
      commandId: 'c-2',
      commandType: 'CreateInvoice',
      outcome: 'rejected',
      version: 1,
      position: expect.stringMatching(/^testlog-/),
    });
  });

  it('that expects another version is a conflict', async () => {
    await command(createCommand());
    const response = await command('{"type":"SendInvoice","expectedVersion":7}');
    expect(response.json()).toMatchObject({ status: 409, code: 'version_conflict', version: 1 });
  });

  it('that is malformed tells all its faults', async () => {
    const response = await command('{"type":"CreateInvoice","data":{"currency":"EUR"}}');
    expect(response.json()).toMatchObject({
      status: 400,
      code: 'command_invalid',
      fields: expect.arrayContaining([{ path: 'due_date', code: 'missing', message: 'due_date is missing' }]),
    });
    const broken = (await command('{"type":"SendInvoice",}')).json();
    expect(broken).toMatchObject({ status: 400, code: 'command_invalid' });
    expect(broken.errors[0]).toMatchObject({ line: 1, column: 23 });
    expect((await command('{"type":"Nonsense"}')).json()).toMatchObject({
      status: 400,
      code: 'unknown_command',
    });
    expect((await command('')).json().code).toBe('command_invalid');
    expect((await command(SEND, {}, '%20')).json().code).toBe('command_invalid');
  });

  it('reads money exactly', async () => {
    await command(createCommand());
    await command(SEND);
    const result = (await command(payCommand('0.10'))).json();
    expect(result.events[0]).toMatchObject({ type: 'PaymentReceived', amount: '0.10' });
    expect((await command(payCommand('0.1000000000000000055'))).json().status).toBe(422);
  });

  it('may be answered later', async () => {
    const response = await command(createCommand('"commandId":"later/1",'), {
      prefer: 'wait=1, respond-async',
    });
    expect(response.statusCode).toBe(202);
    expect(response.headers.location).toBe('/commands/later%2F1');
    expect(response.json()).toEqual({
      commandId: 'later/1',
      status: 'pending',
      result: '/commands/later%2F1',
    });
    let result = await http.get('/commands/later%2F1');
    while (result.statusCode === 202) result = await http.get('/commands/later%2F1');
    expect(result.json()).toMatchObject({ commandId: 'later/1', status: 'accepted', version: 1 });
    expect((await http.get('/commands/never')).json()).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('an invoice', () => {
  beforeEach(async () => {
    await command(createCommand());
    http.clock.advance(1000);
    await command(SEND);
    http.clock.advance(1000);
    await command(payCommand('"4.04"'));
  });

  it('is read now, at a version, or at a time', async () => {
    const now = await http.get('/invoices/i1');
    expect(now.json()).toMatchObject({
      invoice_id: 'i1',
      version: 3,
      total: '24.04',
      paid: '4.04',
      balance: '20.00',
      position: now.headers['millrace-position'],
    });
    expect((await http.get('/invoices/i1?version=1')).json()).toMatchObject({ version: 1, status: 'draft' });
    expect((await http.get(`/invoices/i1?at=${NOW + 1000}`)).json()).toMatchObject({
      version: 2,
      paid: '0.00',
    });
    expect((await http.get('/invoices/i1?at=2026-03-01T12:00:00Z')).json().version).toBe(1);
    const tag = String(now.headers.etag);
    expect((await http.get('/invoices/i1', { 'if-none-match': tag })).statusCode).toBe(304);
  });

  it('has its audit trail in pages', async () => {
    const types = (page: { events: { event: { type: string } }[] }) => page.events.map(e => e.event.type);
    const first = (await http.get('/invoices/i1/events?limit=2')).json();
    expect(types(first)).toEqual(['InvoiceCreated', 'InvoiceSent']);
    const second = (await http.get(`/invoices/i1/events?limit=2&from=${first.next}`)).json();
    expect([types(second), second.next]).toEqual([['PaymentReceived'], null]);
    const end = second.events[0].position;
    expect((await http.get(`/invoices/i1/events?from=${end}`)).json()).toMatchObject({
      events: [],
      next: null,
    });
    expect((await http.get(`/invoices/i2/events?from=${end}`)).statusCode).toBe(404);
    expect((await http.get('/invoices/i1/events?limit=1001')).statusCode).toBe(400);
  });

  it('has an audit trail', async () => {
    const { invoice, events } = (await http.get('/invoices/i1/events')).json();
    expect(invoice).toBe('i1');
    expect(events.map((e: { event: { type: string } }) => e.event.type)).toEqual([
      'InvoiceCreated',
      'InvoiceSent',
      'PaymentReceived',
    ]);
    expect(events[1]).toMatchObject({
      appended_at: '2026-03-01T12:00:01.000Z',
      position: expect.any(String),
    });
  });

  it('that is not there is not found', async () => {
    for (const url of [
      '/invoices/i2',
      '/invoices/i2/events',
      '/invoices/i1?version=9',
      '/invoices/i1?at=2020-01-01',
    ]) {
      expect((await http.get(url)).json(), url).toMatchObject({ status: 404, code: 'unknown_entity' });
    }
    expect((await http.get('/invoices/i1?version=0')).statusCode).toBe(400);
    expect((await http.get('/invoices/i1?version=1&at=1')).statusCode).toBe(400);
    expect((await http.get('/invoices/i1?at=soon')).statusCode).toBe(400);
  });
});
