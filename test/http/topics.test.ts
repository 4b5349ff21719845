import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpFixture, httpFixture, NOW } from './http-fixture.ts';
import { createCommand } from './invoice-commands.ts';

let http: HttpFixture;

beforeEach(async () => {
  http = await httpFixture();
});

afterEach(() => http.close());

const PATH = '/topics/page-views/records';
const produce = (body: string | Buffer, headers = {}) => http.post(PATH, body, headers);
const stored = () => http.ports.log.lastRecords('page-views', 10);
const valueText = (i: number) => Buffer.from(stored()[i]?.value ?? []).toString('utf8');

describe('records', () => {
  it('are appended with key, timestamp and headers', async () => {
    const response = await produce(
      '{"key":"u1","value":{"page":"/"},"timestamp":1700000000000,"headers":{"trace":"t-1"},"partition":1}',
    );
    expect(response.json(), response.body).toEqual({
      topic: 'page-views',
      position: 'testlog-1',
      records: [{ partition: 1, offset: 0 }],
    });
    expect(response.headers['millrace-position']).toBe('testlog-1');
    const [record] = stored();
    expect(record).toMatchObject({ partition: 1, timestamp: 1_700_000_000_000, seq: 0 });
    expect(Buffer.from(record?.key ?? []).toString()).toBe('u1');
    expect(record?.headers.map(h => [h.name, Buffer.from(h.value ?? []).toString()])).toEqual([
      ['trace', 't-1'],
    ]);
  });

  it('keep the bytes of their values', async () => {
    const value = '{ "n" : 12345678901234567890.10 , "a":"}\\"{\\u00e9", "b": [1e400, {"x":"\\\\"}] }';
    await produce(` { "value" :${value}  , "key": 9007199254740993 } `);
    expect(valueText(0)).toBe(value);
    expect(Buffer.from(stored()[0]?.key ?? []).toString()).toBe('9007199254740993');
    await produce('{"value":"a,b\\n\\"c\\""}');
    expect(valueText(1)).toBe('a,b\n"c"');
    await produce('{"valueBase64":"AP8="}');
    expect([...(stored()[2]?.value ?? [])]).toEqual([0, 255]);
    await produce('{"key":"u1","value":null}');
    expect(stored()[3]?.value).toBeNull();
  });

  it('have the time of their append where they have none of their own', async () => {
    await produce('{"value":1}');
    await produce('{"value":2,"timestamp":"2026-01-01T00:00:00Z"}');
    expect(stored().map(r => r.timestamp)).toEqual([NOW, Date.UTC(2026, 0, 1)]);
  });

  it('come in batches, all or none', async () => {
    const headers = { 'content-type': 'application/x-ndjson' };
    const good = await produce('{"value":1}\n\n{"value":2}\r\n{"value":3}', headers);
    expect(good.json().records).toHaveLength(3);
    const bad = await produce('{"value":4}\n{"value":}\n', headers);
    expect(bad.json()).toMatchObject({ status: 400, code: 'request_invalid' });
    expect(bad.json().errors[0]).toMatchObject({ file: '<line 2>', column: 10 });
    expect(stored()).toHaveLength(3);
    expect((await produce('\n \n', headers)).json().detail).toBe('there is no record in the body');
  });

  it.each([
    ['[]', 'the record is not a JSON object'],
    ['{}', 'the record has no "value"'],
    ['{"value":1,"kye":2}', 'the record has an unknown member "kye"'],
    ['{"value":1,"valueBase64":"AA=="}', 'the record has both "value" and "valueBase64"'],
    ['{"valueBase64":"%%"}', '"valueBase64" of the record is not base64'],
    ['{"value":1,"timestamp":1.5}', 'the timestamp of the record is not a time'],
    ['{"value":1,"timestamp":"soon"}', 'the timestamp of the record is not a time'],
    ['{"value":1,"timestamp":"2026-02-30T08:00:00Z"}', 'the timestamp of the record is not a time'],
    ['{"value":1,"partition":2}', 'the partition of the record does not exist'],
    ['{"value":1,"headers":{"a":1}}', 'a header of the record is not a text'],
    ['{"value":1,"headers":"a"}', 'the headers of the record are not an object of texts'],
  ])('such as %s are refused', async (body, detail) => {
    expect((await produce(body)).json()).toMatchObject({ status: 400, code: 'request_invalid', detail });
    expect(stored()).toEqual([]);
  });

  it('are not posted to topics that command handlers write, nor to none', async () => {
    for (const topic of [
      'invoice-commands',
      'invoice-events',
      'invoice-snapshots',
      'command-results',
      'payments',
    ]) {
      expect((await http.post(`/topics/${topic}/records`, '{"value":1}')).json(), topic).toMatchObject({
        status: 403,
        code: 'topic_protected',
        hint: 'send a command: POST /invoices/{id}/commands',
      });
    }
    expect((await http.post('/topics/page-view/records', '{"value":1}')).json()).toMatchObject({
      status: 404,
      code: 'unknown_topic',
      hint: 'did you mean "page-views"?',
    });
    expect(http.ports.log.end()).toBe(0);
  });

  it('are shown as what they are', async () => {
    await produce('{"key":"k","value":{"n": 1.50},"partition":1,"headers":[{"name":"h","value":"v"}]}');
    await produce('{"value":"plain text","partition":0}');
    await produce('{"valueBase64":"AP8=","partition":0}');
    const response = await http.get(PATH);
    expect(response.body).toContain('"value":{"n":1.50}');
    const { topic, position, records } = response.json();
    expect([topic, position]).toEqual(['page-views', 'testlog-3']);
    expect(records).toEqual([
      {
        partition: 1,
        offset: 0,
        position: 'testlog-1',
        timestamp: NOW,
        appended: NOW,
        key: 'k',
        value: { n: 1.5 },
        headers: [{ name: 'h', value: 'v' }],
      },
      expect.objectContaining({ partition: 0, offset: 0, key: null, value: 'plain text' }),
      expect.objectContaining({ partition: 0, offset: 1, value: { base64: 'AP8=' } }),
    ]);
    const values = async (search: string) =>
      (await http.get(`${PATH}?${search}`))
        .json()
        .records.map((r: { offset: number; partition: number }) => [r.partition, r.offset].join('/'));
    expect(await values('limit=1')).toEqual(['0/1']);
    expect(await values('offset=1')).toEqual(['0/1']);
    expect(await values('partition=1')).toEqual(['1/0']);
    expect(await values('partition=0&limit=1')).toEqual(['0/1']);
    expect(await values('offset=9')).toEqual([]);
    expect((await http.get(`${PATH}?partition=2`)).statusCode).toBe(400);
    expect((await http.get(`${PATH}?limit=100000`)).statusCode).toBe(400);
  });
});

describe('topics', () => {
  it('are listed with what they hold', async () => {
    await produce('{"value":1,"partition":1}');
    await http.post('/invoices/i1/commands', createCommand());
    const { topics } = (await http.get('/topics')).json();
    expect(topics.map((t: { name: string }) => t.name)).toEqual([
      'command-results',
      'invoice-commands',
      'invoice-events',
      'invoice-snapshots',
      'page-views',
      'payments',
    ]);
    expect(topics[4]).toEqual({
      name: 'page-views',
      partitions: 2,
      records: 1,
      ends: [0, 1],
      writable: true,
    });
    expect((await http.get('/topics/invoice-events')).json()).toMatchObject({ records: 1, writable: false });
    expect((await http.get('/topics/nothing')).json()).toMatchObject({ status: 404, code: 'unknown_topic' });
  });
});
