import type { Random } from '../oracle/generator/random.ts';
import { mutated } from './byte-mutation.ts';
import { randomMutatedSql } from './mutated-sql.ts';
import { anyJson } from './random-json.ts';

export interface FuzzRequest {
  readonly method: string;
  /** bytes of latin1, as they go onto the wire */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

/** What the server says that it takes (`/openapi.json`), and names that are there. */
export interface Surface {
  readonly operations: readonly Operation[];
  readonly views: readonly string[];
  readonly topics: readonly string[];
  /** positions, cursors and keys that answers gave: they grow with the run, up to a bound */
  readonly seen: string[];
  readonly sql: readonly string[];
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly params: readonly string[];
  readonly hasBody: boolean;
}

interface OpenApi {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: readonly { readonly name: string; readonly in: string }[];
            readonly requestBody?: unknown;
          }
        >
      >
    >
  >;
}

export function operationsOf(document: unknown): readonly Operation[] {
  return Object.entries((document as OpenApi).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      params: parameters.filter(p => p.in === 'query').map(p => p.name),
      hasBody: requestBody !== undefined,
    })),
  );
}

const utf8 = new TextEncoder();

/** A request that is nearly one of those that the server takes. */
export function randomRequest(random: Random, surface: Surface): FuzzRequest {
  const operation = random.of(surface.operations);
  const method = random.chance(0.95)
    ? operation.method
    : random.of(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']);
  // rebuilding is no small request
  if (operation.path.endsWith('/replay') && method === 'POST' && !random.chance(0.03)) {
    return randomRequest(random, surface);
  }
  const path = operation.path.replaceAll(/\{[^}]*\}|\*/g, () => segment(random, surface));
  const pairs = Array.from({ length: random.of([0, 0, 1, 1, 2, 3, 8]) }, () =>
    parameter(random, operation, surface),
  );
  const target = `${random.chance(0.03) ? trick(random, path) : path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
  const body = operation.hasBody || random.chance(0.05) ? bodyFor(random, operation, surface) : null;
  return { method, path: target.slice(0, 12_000), headers: headersFor(random, surface), body };
}

function segment(random: Random, surface: Surface): string {
  switch (random.int(0, 9)) {
    case 0:
    case 1:
    case 2:
      return random.of(surface.views);
    case 3:
    case 4:
      return random.of(surface.topics);
    case 5:
      return random.of(['inv-1', 'inv-fuzz', 'x', '0', '1', '%E2%82%AC', 'a%2Fb', 'a/b', '%00']);
    case 6:
      return encodeURIComponent(random.of(surface.seen.length > 0 ? surface.seen : ['x']));
    default:
      return value(random, surface);
  }
}

function trick(random: Random, path: string): string {
  return random.of([
    `/${path}`,
    `${path}/`,
    path.replace('/', '/../'),
    path.replace('/', '/..%2f..%2f'),
    `${path}/../../../../etc/passwd`,
    path.toUpperCase(),
    path.replaceAll('/', '//'),
    `${path};x=1`,
    `${path}%`,
    `${path}%ff`,
    `${path}#x`,
    `http://elsewhere${path}`,
    '*',
    '/views/__proto__',
    '/views/constructor/toString',
  ]);
}

const WORDS = [
  'true',
  'false',
  'asc',
  'desc',
  'json',
  'csv',
  'string',
  'number',
  'null',
  '*',
  'NaN',
  'Infinity',
  '__proto__',
];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '10',
  '1e9',
  '9007199254740993',
  '99999999999999999999',
  '0x10',
  '1.5',
  '٣',
  ' 1',
];
const TIMES = [
  '0ms',
  '5ms',
  '20ms',
  '1h',
  '-1s',
  '2026-02-30',
  '2026-03-29T02:30:00',
  '2026-03-29T02:30:00Z',
  '1s1s',
];

/** What parameters are meant for. */
const PLAIN: Readonly<Record<string, readonly string[] | undefined>> = {
  limit: ['1', '2', '10', '1000'],
  order: ['amount', '-amount', 'currency', 'invoice_id', '-invoice_id', 'n', 'WINDOWSTART', '-WINDOWSTART'],
  columns: ['amount', 'currency,amount', 'invoice_id', '*'],
  fields: ['amount', 'currency,amount', 'invoice_id'],
  format: ['json', 'csv', 'ndjson'],
  numbers: ['string', 'number', 'exact'],
  status: ['paid', 'sent'],
  partition: ['0', '1'],
  offset: ['0', '1', '5'],
  currency: ['EUR', 'USD'],
  invoice: ['*', 'inv-1'],
};

function parameter(random: Random, { params }: Operation, surface: Surface): string {
  const name =
    params.length > 0 && random.chance(0.8)
      ? random.of(params)
      : random.of(['x', 'limit', 'card_number', 'status', 'a[b]', '', '__proto__']);
  const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
  if (plain !== undefined && random.chance(0.6)) return `${name}=${encodeURIComponent(random.of(plain))}`;
  // nothing may wait long for an answer
  const text =
    name === 'wait' ? random.of(['0ms', '1ms', '5ms', '', 'x', '-1ms', '1h']) : value(random, surface);
  return `${random.chance(0.9) ? encodeURIComponent(name) : name}=${text}`;
}

/** A value in a URL: encoded, or as it should not be. */
function value(random: Random, surface: Surface): string {
  const raw = (): string => {
    switch (random.int(0, 6)) {
      case 0:
        return random.of(NUMBERS);
      case 1:
        return random.of(WORDS);
      case 2:
        return random.of(TIMES);
      case 3:
        return surface.seen.length > 0 ? random.of(surface.seen) : 'x-1';
      case 4:
        return `${random.of(['log', 'x', '', 'a'.repeat(33)])}-${random.of(['0', 'zz', '-', 'zzzzzzzzzzz', '1.1'])}`;
      case 5:
        return random.of([
          "'",
          '"',
          '\\',
          '\u0000',
          'é',
          '😀',
          '\u2028',
          'a,b',
          'a.b.c',
          '<script>',
          'x'.repeat(9000),
          '\r\nx: y',
        ]);
      default:
        return `${random.of(['amount', 'status', 'n', 'total'])}${random.of(['', '.', '>', '.gt', '[gt]'])}${random.of(NUMBERS)}`;
    }
  };
  const text = raw();
  if (random.chance(0.15)) {
    const seen = new TextDecoder('latin1').decode(mutated(random, utf8.encode(text)));
    return encodeURIComponent(seen.toWellFormed());
  }
  if (random.chance(0.85)) return encodeURIComponent(text);
  return text.replaceAll(/[^\x21-\x7e]/g, c => `%${c.charCodeAt(0).toString(16)}`);
}

function headersFor(random: Random, surface: Surface): Record<string, string> {
  const headers: Record<string, string> = {};
  const some = random.of([0, 0, 0, 1, 2, 5]);
  for (let i = 0; i < some; i++) {
    const [name, values] = random.of(HEADERS);
    const text = random.chance(0.2) && surface.seen.length > 0 ? random.of(surface.seen) : random.of(values);
    // what Node itself would not send stands in raw requests
    headers[name] = text.replaceAll(/[^\x20-\x7e]/g, '?');
  }
  return headers;
}

const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  [
    'content-type',
    [
      'application/json',
      'application/x-ndjson',
      'text/plain',
      'application/json; charset=utf-16',
      '/',
      '',
      'a/b;c',
      'multipart/form-data',
    ],
  ],
  [
    'accept',
    [
      'application/json',
      'text/csv',
      'text/event-stream',
      '*/*',
      'application/*;q=0',
      'x',
      ';;;',
      'text/event-stream;q=2',
    ],
  ],
  ['if-none-match', ['*', '"x"', 'W/"x"', '"', ',,,', '"a", "b"']],
  ['prefer', ['respond-async', 'wait=1', 'respond-async, wait=0', 'x=', ';']],
  ['last-event-id', ['x', '', 'log-0', '-', '0']],
  ['authorization', ['Bearer x', 'Bearer', 'Basic eA==', '']],
  ['origin', ['http://localhost', 'http://evil.example', 'null', 'x']],
  ['x-http-method-override', ['DELETE']],
  ['content-encoding', ['gzip', 'identity', 'x']],
  ['expect', ['x']],
  ['cookie', ['a=b; '.repeat(200)]],
  ['range', ['bytes=0-1', 'bytes=-', 'x']],
  ['accept-encoding', ['gzip', 'br', 'x']],
];

function bodyFor(random: Random, operation: Operation, surface: Surface): Uint8Array {
  const text = bodyText(random, operation, surface);
  const bytes = utf8.encode(text);
  const damaged = random.chance(0.4) ? mutated(random, bytes) : bytes;
  // a backup goes where it is told to: nowhere
  if (operation.path.includes('backup')) return damaged.filter(byte => byte !== 0x2f && byte !== 0x5c);
  return damaged;
}

function bodyText(random: Random, { path }: Operation, surface: Surface): string {
  if (random.chance(0.1))
    return random.of([
      '',
      '{}',
      '[]',
      'null',
      '{"a":',
      '[[[['.repeat(3000),
      'x'.repeat(70_000),
      anyJson(random, 4),
    ]);
  if (path.includes('query')) {
    const sql = random.chance(0.4) ? adHoc(random, surface) : randomMutatedSql(random, surface.sql);
    return JSON.stringify({
      sql,
      ...(random.chance(0.1) ? { after: random.of(surface.seen), wait: '1ms' } : {}),
    });
  }
  if (path.includes('commands')) return JSON.stringify(command(random));
  if (path.includes('records')) {
    return Array.from({ length: random.of([1, 1, 3]) }, () => producedRecord(random)).join('\n');
  }
  return JSON.stringify({
    topic: random.of(surface.topics),
    before: random.of(['2026-01-01', '2999-01-01', 0, -1, 'x', null, ...surface.seen]),
    dryRun: random.of([true, true, 'x']),
    folder: random.of(['relative', '', 1, '..']),
  });
}

function adHoc(random: Random, surface: Surface): string {
  const from = random.of(surface.views);
  return random.of([
    `SELECT * FROM ${from}`,
    `SELECT COUNT(*) AS n FROM ${from}`,
    `SELECT * FROM ${from} a JOIN ${random.of(surface.views)} b ON a.currency = b.currency`,
    `SELECT REPEAT('x', ${random.of(NUMBERS)}) AS x FROM ${from}`,
    `SELECT ${'('.repeat(random.int(1, 500))}1 FROM ${from}`,
    `SELECT GENERATE_SERIES(0, ${random.of(['10', '99999', '2147483647'])}) AS x FROM ${from}`,
  ]);
}

function command(random: Random): Record<string, unknown> {
  const type = random.of([
    'CreateInvoice',
    'SendInvoice',
    'RecordPayment',
    'CancelInvoice',
    'Nothing',
    '',
    1,
    null,
  ]);
  const odd = [
    1,
    -1,
    '1e400',
    '0.001',
    'x'.repeat(300),
    null,
    [],
    {},
    true,
    '2026-02-30',
    '9'.repeat(40),
    '\u0000',
    '😀',
  ];
  const data = {
    customer_id: random.of(['cu-1', ...odd]),
    customer_name: random.of(['Name', ...odd]),
    customer_email: random.of(['a@b.org', ...odd]),
    currency: random.of(['EUR', 'XXX', ...odd]),
    issue_date: random.of(['2026-11-20', ...odd]),
    due_date: random.of(['2026-11-24', ...odd]),
    amount: random.of(['10.00', ...odd]),
    method: random.of(['card', ...odd]),
    line_items: random.of([
      [
        {
          description: 'x',
          quantity: random.of([1, ...odd]),
          unit_price: random.of(['1.00', ...odd]),
          tax_rate: random.of([19, ...odd]),
        },
      ],
      ...odd,
    ]),
  };
  const some = Object.fromEntries(Object.entries(data).filter(() => random.chance(0.9)));
  return {
    type,
    data: random.chance(0.9) ? some : random.of(odd),
    ...(random.chance(0.2) ? { expectedVersion: random.of([0, 1, -1, 1e30, '1', 1.5]) } : {}),
    ...(random.chance(0.2) ? { commandId: random.of(['c1', '', 'x'.repeat(2000), 1, null]) } : {}),
    ...(random.chance(0.1) ? { origin: random.of(['o', '', 1]) } : {}),
    ...(random.chance(0.05) ? { extra: 1 } : {}),
  };
}

function producedRecord(random: Random): string {
  return JSON.stringify({
    key: random.of(['k', null, 1, '', { a: 1 }, [1]]),
    value: random.of([{ card_number: 'c', amount: '1.00' }, null, 'text', 1.5, [{}], '\u0000']),
    ...(random.chance(0.3)
      ? { timestamp: random.of([0, -1, 1e18, 1.5, 'x', 1774742400000, '2026-01-01']) }
      : {}),
    ...(random.chance(0.2) ? { partition: random.of([0, 1, -1, 1e9, 'x']) } : {}),
    ...(random.chance(0.2) ? { headers: random.of([{ a: 'b' }, [], [['a', 'b']], { a: 1 }, 'x']) } : {}),
    ...(random.chance(0.05) ? { valueBase64: random.of(['AA==', '%', 1]) } : {}),
  });
}
