import { expect, test } from 'vitest';
import { decodeRequest, encodeRequest } from '../../src/commands/command-request.ts';
import { MillraceError } from '../../src/core/errors.ts';
import { bytes, text } from './counter.ts';

const decode = (envelope: string) => decodeRequest(bytes(envelope), 'a');

/** The code of the refusal, with the codes of the fields that are at fault. */
function faults(envelope: string): readonly unknown[] {
  try {
    decode(envelope);
    return ['no error'];
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const errors = (error.data?.errors ?? []) as readonly { path: string; code: string }[];
    return [error.code, ...errors.map(e => `${e.path}: ${e.code}`)];
  }
}

test('an envelope is written as it was read, numbers digit by digit', () => {
  const envelope =
    '{"type":"Add","commandId":"c-1","expectedVersion":3,"origin":"tab","data":{"by":0.10,"n":9007199254740993}}';
  expect(text(encodeRequest(decode(envelope)))).toBe(envelope);
});

test.each(['{"type":"Add","data":{"by":0.10}}', ' {"data":{"by":"{"},"type":"Add"} ', '{"type":"Add"}'])(
  'a command without an id reads the same once it has one: %s',
  envelope => {
    const { unnamed: _, ...request } = decode(envelope);
    const kept = decodeRequest(encodeRequest({ ...decode(envelope), commandId: 'c"1' }), 'a');
    expect(kept).toEqual({ ...request, commandId: 'c"1' });
  },
);

test('an id that is null is none', () => {
  const kept = encodeRequest({ ...decode('{"type":"Add","commandId":null}'), commandId: 'c-1' });
  expect(text(kept)).toBe('{"type":"Add","commandId":"c-1","data":{}}');
});

test('without an expected version any version will do; without data there is none', () => {
  expect(decode('{"type":"Add"}')).toMatchObject({
    type: 'Add',
    entityId: 'a',
    data: new Map(),
    commandId: undefined,
    expectedVersion: undefined,
    origin: undefined,
  });
});

test.each([
  ['{"type":"Add","expectedVersion":-1}', ['command_invalid', 'expectedVersion: not_a_version']],
  ['{"type":"Add","expectedVersion":1.5}', ['command_invalid', 'expectedVersion: not_a_version']],
  ['{"type":"Add","expectedVersion":"x"}', ['command_invalid', 'expectedVersion: not_a_decimal']],
  ['{"type":"Add","expectedVersion":""}', ['command_invalid', 'expectedVersion: not_a_decimal']],
  [
    '{"commandId":"a b","extra":1}',
    ['command_invalid', 'type: missing', 'commandId: malformed', 'extra: unknown_field'],
  ],
  ['{"type":"Add","__proto__":{}}', ['command_invalid', '__proto__: unknown_field']],
  ['{"type":"Add","type":"Remove"}', ['command_invalid']],
  ['{"type":"Add","data":[]}', ['command_invalid', 'data: not_an_object']],
  ['[]', ['command_invalid', ': not_an_object']],
  ['{"type":', ['command_invalid']],
])('%s is refused', (envelope, expected) => {
  expect(faults(envelope)).toEqual(expected);
});
