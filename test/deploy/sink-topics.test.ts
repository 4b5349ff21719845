import { expect, it } from 'vitest';
import type { Append, Appended, EventLog } from '../../src/log/event-log.ts';
import { until } from '../until.ts';
import { dataFolder, manyOrders, start } from './data-folder.ts';

it('a topic has every record once although the log refuses some of its appends', async () => {
  let refuse = 0;
  let refused = 0;
  const failing = (log: EventLog): EventLog =>
    new Proxy(log, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name !== 'append') return typeof value === 'function' ? value.bind(target) : value;
        return (append: Append): Appended => {
          const derived = append.positions?.some(p => p.handler.startsWith('sink/large'));
          if (!derived || refuse === 0) return target.append(append);
          refuse--;
          refused++;
          const durable = Promise.reject(new Error('the disk is full'));
          durable.catch(() => {});
          return { records: [], end: target.end(), appendTime: 0, durable };
        };
      },
    });
  const server = await start(dataFolder(), { wrapLog: failing });
  await server.orders(manyOrders(100));
  await server.expectExact();
  for (let round = 0; round < 2; round++) {
    refuse = 1 + round;
    await server.orders(manyOrders(60, 1_000 * (round + 1)));
    await until('the log has refused something', () => refuse === 0 || refused > round);
    await until('the worker is started anew', () => server.reports.length > round);
    await server.orders(manyOrders(60, 1_000 * (round + 1) + 500));
    await server.expectExact();
  }
  const large =
    server
      .expected()
      .get('large')
      ?.map(r => String(r[0])) ?? [];
  await until('all records are written', () => server.topic('large').length === large.length);
  expect(server.topic('large').map(([key]) => key)).toEqual(large);
  expect(refused).toBeGreaterThan(1);
});
