import { hash } from 'node:crypto';
import type { Value } from '../../core/value.ts';
import type { EvalContext, ScalarFunction } from '../functions.ts';
import { nullable, overload, scalar } from './define.ts';
import { MAX_LENGTH } from './limits.ts';
import { seededWords } from './seeded.ts';

const category = 'BYTES';
const ENCODINGS = 'hex, utf8, ascii or base64';

export const bytesFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'TO_BYTES',
      category,
      description: `The BYTES that a string stands for in an encoding: ${ENCODINGS}.`,
    },
    overload<[string, string]>('(STRING, STRING) -> BYTES', ([text, encoding], ctx) => {
      return (
        decode(text, encoding) ?? ctx.fail(`TO_BYTES: the text is not ${encodingOf(encoding) ?? ENCODINGS}`)
      );
    }),
  ),
  scalar(
    { name: 'FROM_BYTES', category, description: `BYTES as a string in an encoding: ${ENCODINGS}.` },
    overload<[Uint8Array, string]>('(BYTES, STRING) -> STRING', ([bytes, encoding], ctx) => {
      const known = encodingOf(encoding);
      if (!known) return ctx.fail(`FROM_BYTES: unknown encoding, expected ${ENCODINGS}`);
      return known === 'hex' ? encode(bytes, known).toUpperCase() : encode(bytes, known);
    }),
  ),
  scalar(
    {
      name: 'ENCODE',
      category,
      description: `A string in one encoding rewritten in another; encodings are ${ENCODINGS}.`,
    },
    overload<[string, string, string]>('(STRING, STRING, STRING) -> STRING', ([text, from, to], ctx) => {
      const [source, target] = [encodingOf(from), encodingOf(to)];
      if (!source || !target || source === target) return ctx.fail(`ENCODE: expected two of ${ENCODINGS}`);
      const bytes = decode(source === 'hex' ? bareHex(text) : text, source);
      return bytes ? encode(bytes, target) : ctx.fail(`ENCODE: the text is not ${source}`);
    }),
  ),
  scalar(
    {
      name: 'MD5',
      category,
      description: 'The MD5 digest of a string (its UTF-8 bytes) or of bytes, in hexadecimal.',
    },
    overload<[string]>('(STRING) -> STRING', ([text]) => hash('md5', text, 'hex')),
    overload<[Uint8Array]>('(BYTES) -> STRING', ([bytes]) => hash('md5', bytes, 'hex')),
  ),
  pad('LPAD', 'in front', (padding, value) => [padding, value]),
  pad('RPAD', 'behind', (padding, value) => [value, padding]),
  fromBytes('INT', 4, (view, little) => view.getInt32(0, little)),
  fromBytes('BIGINT', 8, (view, little) => view.getBigInt64(0, little)),
  fromBytes('DOUBLE', 8, (view, little) => view.getFloat64(0, little)),
  scalar(
    {
      name: 'UUID',
      category: 'STRING',
      description:
        'A random UUID (version 4): the same for the same record and call site, so that replays agree; or the UUID of 16 bytes.',
      deterministic: false,
    },
    {
      signature: '() -> STRING',
      make:
        ({ site }) =>
        (_, ctx) =>
          randomUuid(ctx.seq, site),
    },
    overload<[Uint8Array]>('(BYTES) -> STRING', ([bytes], ctx) => {
      return bytes.length === 16 ? uuidText(encode(bytes, 'hex')) : ctx.fail('UUID: expected 16 bytes');
    }),
  ),
];

type Encoding = 'hex' | 'utf8' | 'ascii' | 'base64';

function encodingOf(name: string): Encoding | null {
  const lower = name.toLowerCase();
  return lower === 'hex' || lower === 'utf8' || lower === 'ascii' || lower === 'base64' ? lower : null;
}

function encode(bytes: Uint8Array, encoding: Encoding): string {
  // Bytes above 127 are no ASCII; Node would drop their eighth bit.
  if (encoding === 'ascii') {
    return Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\u0080-\u00ff]/g, '\ufffd');
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);
}

/** null: the text is not of this encoding. */
function decode(text: string, encoding: string): Uint8Array | null {
  switch (encodingOf(encoding)) {
    case 'utf8':
      return new Uint8Array(Buffer.from(text, 'utf8'));
    case 'ascii':
      return Uint8Array.from(text, c => (c.length === 1 && c.charCodeAt(0) < 128 ? c.charCodeAt(0) : 63));
    case 'hex':
      return /^(?:[0-9a-fA-F]{2})*$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : null;
    case 'base64':
      return new Uint8Array(Buffer.from(text, 'base64'));
    default:
      return null;
  }
}

/** Hexadecimal digits without the frames 0x... and X'...' in which databases write them. */
function bareHex(text: string): string {
  if (text.startsWith('0x')) return text.length % 2 === 0 ? text.slice(2) : `0${text.slice(2)}`;
  return /^[xX]'.*'$/.test(text) ? text.slice(2, -1) : text;
}

function pad(
  name: string,
  place: string,
  order: <T>(padding: T, value: T) => readonly [T, T],
): ScalarFunction {
  const refuse = (length: number, padding: number) => length < 0 || padding === 0;
  const tooLong = (ctx: EvalContext) => ctx.fail(`${name}: the result is too long`);
  return scalar(
    {
      name,
      category: 'STRING',
      description: `A string or bytes of just this length: cut, or filled up ${place} with the padding; NULL without padding or length.`,
    },
    overload<[string, number, string]>('(STRING, INT, STRING) -> STRING', ([text, length, padding], ctx) => {
      if (refuse(length, padding.length)) return null;
      if (length > MAX_LENGTH) return tooLong(ctx);
      const missing = length - text.length;
      if (missing <= 0) return text.slice(0, length).toWellFormed();
      return order(padding.repeat(Math.ceil(missing / padding.length)).slice(0, missing), text)
        .join('')
        .toWellFormed();
    }),
    overload<[Uint8Array, number, Uint8Array]>(
      '(BYTES, INT, BYTES) -> BYTES',
      ([bytes, length, padding], ctx) => {
        if (refuse(length, padding.length)) return null;
        if (length > MAX_LENGTH) return tooLong(ctx);
        const missing = length - bytes.length;
        if (missing <= 0) return bytes.slice(0, length);
        const filling = Uint8Array.from({ length: missing }, (_, i) => padding[i % padding.length] ?? 0);
        return new Uint8Array(Buffer.concat(order(filling, bytes)));
      },
    ),
  );
}

function fromBytes(
  type: string,
  size: number,
  read: (view: DataView, little: boolean) => Value,
): ScalarFunction {
  const name = `${type}_FROM_BYTES`;
  const run = (bytes: Uint8Array, order: string, ctx: EvalContext) => {
    if (order !== 'BIG_ENDIAN' && order !== 'LITTLE_ENDIAN') {
      return ctx.fail(`${name}: byte order must be BIG_ENDIAN or LITTLE_ENDIAN`);
    }
    if (bytes.length !== size) return ctx.fail(`${name}: expected ${size} bytes, got ${bytes.length}`);
    return read(new DataView(bytes.buffer, bytes.byteOffset, size), order === 'LITTLE_ENDIAN');
  };
  return scalar(
    {
      name,
      category,
      description: `The ${type} of ${size} bytes; the byte order is BIG_ENDIAN (default) or LITTLE_ENDIAN.`,
    },
    overload<[Uint8Array]>(`(BYTES) -> ${type}`, ([bytes], ctx) => run(bytes, 'BIG_ENDIAN', ctx)),
    nullable<[Uint8Array | null, string | null]>(`(BYTES, STRING) -> ${type}`, ([bytes, order], ctx) => {
      return bytes === null ? null : run(bytes, order?.toUpperCase() ?? '', ctx);
    }),
  );
}

function randomUuid(seq: number, site: number): string {
  const hex = seededWords(seq, site, 4)
    .map(w => w.toString(16).padStart(8, '0'))
    .join('');
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) & 3] ?? '8';
  return uuidText(`${hex.slice(0, 12)}4${hex.slice(13, 16)}${variant}${hex.slice(17)}`);
}

function uuidText(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
