import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/errors.ts';
import type { SinkSource } from '../../src/http/ports.ts';
import type { SinkStatus } from '../../src/sinks/sink-runner.ts';
import { httpFixture } from './http-fixture.ts';

const RUNNING: SinkStatus = {
  name: 'totals',
  view: 'totals',
  place: 'postgres public.totals',
  state: 'running',
  position: 5,
  behind: 0,
  loaded: null,
  changes: 12,
  loads: 1,
  failure: null,
  notice: null,
};

/** One sink that stands at position 5, and reaches what lies before `reach`. */
function oneSink(change: Partial<SinkStatus> = {}, reach = 10): SinkSource {
  const status = { ...RUNNING, ...change };
  const known = (name: string): void => {
    if (name !== 'totals') throw new MillraceError('unknown_sink', `there is no sink "${name}"`);
  };
  return {
    list: () => [status],
    status: name => {
      known(name);
      return status;
    },
    reaches: async (name, seq) => {
      known(name);
      return seq <= reach;
    },
  };
}

describe('the sinks', () => {
  it('say where they stand, with a position for ?after=', async () => {
    const server = await httpFixture({ ports: { sinks: oneSink() } });
    const list = await server.get('/sinks');
    expect(list.json()).toEqual({ sinks: [{ ...RUNNING, position: 'testlog-5' }] });
    const one = await server.get('/sinks/totals');
    expect(one.json()).toEqual({ ...RUNNING, position: 'testlog-5' });
    expect(one.headers['millrace-position']).toBe('testlog-5');
    expect((await server.get('/sinks/none')).json()).toMatchObject({ status: 404, code: 'unknown_sink' });
    await server.close();
  });

  it('answer a position once the rows there have reached it, and else say why not', async () => {
    const failure = { code: 'sink_unreachable', message: 'nobody answers', hint: 'wait', attempts: 3 };
    const server = await httpFixture({ ports: { sinks: oneSink({ failure }) } });
    expect((await server.get('/sinks/totals?after=testlog-a&wait=1s')).statusCode).toBe(200);
    const late = await server.get('/sinks/totals?after=testlog-k&wait=10ms');
    expect(late.json()).toMatchObject({
      status: 503,
      code: 'sink_behind',
      detail: 'sink "totals" is 15 records behind: nobody answers',
      hint: 'wait',
      sink: { name: 'totals', position: 'testlog-5' },
    });
    expect(late.headers['retry-after']).toBe('1');
    expect((await server.get('/sinks/totals?after=other-k')).json()).toMatchObject({
      code: 'position_foreign',
    });
    await server.close();
  });

  it('are counted in the metrics', async () => {
    const server = await httpFixture({ ports: { sinks: oneSink({ behind: 7 }) } });
    const { body } = await server.get('/metrics');
    expect(body).toContain('millrace_sink_lag{sink="totals",view="totals"} 7');
    expect(body).toContain('millrace_sink_up{sink="totals",view="totals"} 1');
    await server.close();
  });
});
