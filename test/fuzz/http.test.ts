import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Random } from '../oracle/generator/random.ts';
import { mutated } from './byte-mutation.ts';
import { fuzz, LONG, TIMEOUT } from './fuzz-run.ts';
import { FuzzedServer, wrongAnswer } from './fuzzed-server.ts';
import { randomRequest } from './random-request.ts';

const REQUESTS = LONG ? 36_000 : 500;
const CONNECTIONS = LONG ? 3_000 : 60;
const SOCKETS = LONG ? 1_000 : 25;

let server: FuzzedServer;
/** how many answers had which status */
const answered = new Map<number, number>();

beforeAll(async () => {
  server = await FuzzedServer.start();
}, 120_000);

afterAll(async () => {
  console.log(`answers: ${[...answered].map(([status, n]) => `${n} x ${status}`).join(', ')}`);
  await server.stop();
});

test(
  `${REQUESTS} requests of every route: an answer, or a problem that is not ours`,
  () =>
    fuzz({
      name: 'requests',
      inputs: REQUESTS,
      each: async random => {
        const requests = Array.from({ length: 8 }, () => randomRequest(random, server.surface));
        await Promise.all(
          requests.map(async asked => {
            const answer = await server.ask(asked).catch((error: NodeJS.ErrnoException) => {
              // what Node refuses to send never arrives
              if (error.code?.startsWith('ERR_')) return null;
              throw error;
            });
            if (answer === null) return;
            server.remember(answer);
            answered.set(answer.status, (answered.get(answer.status) ?? 0) + 1);
            const body = asked.body === null ? '' : new TextDecoder().decode(asked.body.subarray(0, 2000));
            expect(
              wrongAnswer(answer),
              `${asked.method} ${asked.path}\n${JSON.stringify(asked.headers)}\n${body}`,
            ).toBeNull();
          }),
        );
        return requests.length;
      },
    }),
  TIMEOUT,
);

test(
  `${CONNECTIONS} connections with bytes that are nearly HTTP`,
  () =>
    fuzz({
      name: 'connections',
      inputs: CONNECTIONS,
      each: async random => {
        const bytes = Array.from({ length: 10 }, () => nearlyHttp(random));
        const answers = await Promise.all(bytes.map(b => server.raw(b)));
        for (const [i, answer] of answers.entries()) {
          expect(
            answer.startsWith('HTTP/1.1 5'),
            `${new TextDecoder('latin1').decode(bytes[i])}\n${answer}`,
          ).toBe(false);
        }
        await expectAlive();
        return bytes.length;
      },
    }),
  TIMEOUT,
);

function nearlyHttp(random: Random): Uint8Array {
  const { path, method, headers } = randomRequest(random, server.surface);
  const lines = [
    `${method} ${path} HTTP/${random.of(['1.1', '1.1', '1.0', '2.0', '9'])}`,
    random.chance(0.95) ? 'host: x' : '',
    ...Object.entries(headers).map(([n, v]) => `${n}: ${v}`),
    ...random
      .shuffled([
        'content-length: 5',
        'content-length: -1',
        'transfer-encoding: chunked',
        'transfer-encoding: x',
        'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
        'upgrade: h2c',
        'expect: 100-continue',
        `x: ${'y'.repeat(20_000)}`,
        ' folded',
        'no colon',
      ])
      .slice(0, random.int(0, 3)),
    '',
    random.of(['', 'hello', '5\r\nhello\r\n0\r\n\r\n', 'ffffffffff\r\nx', '{}']),
  ];
  const text = new TextEncoder().encode(lines.filter((line, i) => line !== '' || i > 2).join('\r\n'));
  return random.chance(0.5) ? mutated(random, text) : text;
}

test(
  `${SOCKETS} WebSockets and event streams with garbage, floods and sudden ends`,
  () =>
    fuzz({
      name: 'sockets',
      inputs: SOCKETS,
      each: async random => {
        const path = random.of([
          '/updates',
          '/updates?origin=x',
          '/updates?invoice=*',
          '/updates?after=x',
          '/views',
          '/nothing',
        ]);
        await Promise.all(
          Array.from({ length: 5 }, () =>
            server.socket(path, socket => {
              const raw = (socket as unknown as { readonly _socket: { write(bytes: Uint8Array): void } })
                ._socket;
              switch (random.int(0, 6)) {
                case 0:
                  for (let i = 0; i < 300; i++) socket.send('x'.repeat(random.int(0, 1024)));
                  return socket.close();
                case 1:
                  return socket.send(new Uint8Array(random.of([1025, 70_000, 5_000_000])));
                case 2:
                  for (let i = 0; i < 200; i++) socket.ping('p');
                  return socket.close(random.of([1000, 1001, 3000, 4999]), 'bye');
                case 3:
                  return raw.write(Uint8Array.from({ length: random.int(1, 300) }, () => random.int(0, 255)));
                case 4:
                  // a frame without mask, of reserved bits, of a length that never comes
                  return raw.write(
                    Uint8Array.from(
                      random.of([
                        [0x81, 0x01, 0x61],
                        [0xf1, 0x80, 0, 0, 0, 0],
                        [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                      ]),
                    ),
                  );
                case 5:
                  return socket.terminate();
                default:
                  return socket.send('not\u0000json');
              }
            }),
          ),
        );
        await expectAlive();
        return 5;
      },
    }),
  TIMEOUT,
);

async function expectAlive(): Promise<void> {
  const { status } = await server.ask({ method: 'GET', path: '/healthz', headers: {}, body: null });
  expect(status).toBe(200);
}
