import assert from 'node:assert';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { CommandRuntime } from '../../src/commands/command-runtime.ts';
import { ManualClock } from '../../src/core/clock.ts';
import { rowText } from '../../src/dataflow/row-text.ts';
import { LogBackups } from '../../src/deploy/log-backups.ts';
import { LogKeeper } from '../../src/deploy/log-keeper.ts';
import type { HttpLimits, HttpOptions, HttpPorts } from '../../src/http/ports.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { invoiceEntity } from '../../src/invoice/invoice-entity.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { closest } from '../../src/sql/suggest.ts';
import { FakeViews } from './fake-views.ts';

export const NOW = Date.UTC(2026, 2, 1, 12);

const LIMITS: HttpLimits = {
  body: 100_000,
  page: 50,
  wait: 5000,
  subscriptions: 3,
  backlog: 20_000,
};

export interface HttpFixture {
  readonly app: FastifyInstance;
  readonly clock: ManualClock;
  readonly views: FakeViews;
  readonly ports: HttpPorts;
  /** failures that were ours */
  readonly failures: unknown[];
  /** http://... of a listening server */
  listen(): Promise<string>;
  get(url: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  post(url: string, body: string | Buffer, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

/** The HTTP side over a memory log, the real command runtime and views of a test. */
export async function httpFixture(
  change: { ports?: Partial<HttpPorts>; limits?: Partial<HttpLimits>; options?: Partial<HttpOptions> } = {},
): Promise<HttpFixture> {
  const clock = new ManualClock(NOW);
  const log = createMemoryLog({ clock, id: 'testlog' });
  const failures: unknown[] = [];
  let ids = 0;
  const commands = new CommandRuntime({
    log,
    entity: invoiceEntity,
    onError: e => failures.push(e),
    newCommandId: () => `made-${++ids}`,
  });
  log.createTopic({ name: 'page-views', partitions: 2, keyIndex: false });
  const views = new FakeViews();
  const ports: HttpPorts = {
    log,
    keeper: new LogKeeper({
      log,
      clock,
      plans: () => [],
      building: () => [],
      committed: () => log.end(),
      handlers: () => [],
      owned: new Map([['invoice-events', 'invoices are made of its records']]),
      ownedByKey: new Map(),
      keptFor: new Map(),
    }),
    backups: new LogBackups({ backUp: () => Promise.reject(new Error('a log in memory')) }, () => {}),
    commands,
    views,
    queries: {
      run: () => ({ columns: [], rows: [], position: 0, truncated: false }),
    },
    sinks: { list: () => [], status: () => assert.fail('no sinks'), reaches: async () => false },
    status: {
      status: async () => ({ name: 'millrace' }),
      notReady: () => null,
      topology: () => ({ nodes: [], edges: [] }),
      sizes: async () => [],
      memoryBudget: 1_000_000,
      ledger: () => [],
    },
    text: rowText,
    clock,
    suggest: closest,
    onError: error => failures.push(error),
    ...change.ports,
  };
  const app = await createHttpServer(ports, {
    host: '127.0.0.1',
    port: 0,
    token: null,
    ...change.options,
    limits: { ...LIMITS, ...change.limits },
  });
  const ask = (options: InjectOptions) => app.inject(options);
  return {
    app,
    clock,
    views,
    ports,
    failures,
    listen: () => app.listen({ host: '127.0.0.1', port: 0 }),
    get: (url, headers = {}) => ask({ method: 'GET', url, headers }),
    post: (url, body, headers = {}) =>
      ask({
        method: 'POST',
        url,
        payload: body,
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async close() {
      commands.close();
      await app.close();
    },
  };
}
