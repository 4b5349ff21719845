import { afterEach, describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/commands/command-result.ts';
import type { BusEvent, Commands } from '../../src/commands/commands.ts';
import type { EntityType } from '../../src/commands/entity-type.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { type Add, type Added, bytes, request, text } from '../commands/counter.ts';
import { until } from '../until.ts';

/** Commands on some log, by a node that can be closed and opened again. */
export interface CommandsUnderTest {
  /** a node; the first one creates the topics */
  open(options?: NodeOptions): Promise<CommandNode>;
  /** puts a record into the commands topic, as somebody else does */
  put(value: string | null, key?: string | null): Promise<void>;
  readonly entity: EntityType<Add, Added, number>;
  readonly resultsTopic: string;
  /** closes all nodes */
  dispose(): Promise<void>;
}

export interface NodeOptions {
  readonly cacheSize?: number;
  readonly snapshotEvery?: number;
}

export interface CommandNode {
  readonly commands: Commands;
  readonly log: EventLog;
  readonly errors: unknown[];
  close(): Promise<void>;
}

/** What commands mean, whichever log they run on. */
export function commandsContract(name: string, setUp: () => Promise<CommandsUnderTest>): void {
  describe(`commands: ${name}`, () => {
    let under: CommandsUnderTest;
    const start = async (options?: NodeOptions): Promise<CommandNode> => {
      under = await setUp();
      return under.open(options);
    };
    afterEach(() => under.dispose());

    const events = (log: EventLog, id: string) =>
      log.byKey(under.entity.topics.events, bytes(id)).map(r => JSON.parse(text(r.value)));

    test('an accepted command has its events, the version and a position behind all that it wrote', async () => {
      const { commands, log } = await start();
      const result = await commands.submit(request('a', { by: 5 }, { commandId: 'c-1', origin: 'tab' }));
      expect(result).toMatchObject({
        commandId: 'c-1',
        type: 'Add',
        entity: 'counter',
        entityId: 'a',
        origin: 'tab',
        status: 'accepted',
        error: null,
        events: [{ type: 'Added', version: 1, by: 5 }],
        version: 1,
      });
      const { events: eventsTopic, snapshots } = under.entity.topics;
      const written = [
        log.lastByKey(eventsTopic, bytes('a')),
        log.lastByKey(snapshots, bytes('a')),
        log.lastByKey(under.resultsTopic, bytes('c-1')),
      ];
      expect(Math.max(...written.map(r => r?.seq ?? Number.NaN)) + 1).toBe(result.position);
      expect(text(written[1]?.value)).toBe('{"state":5,"version":1}');
      expect(result.position).toBeLessThanOrEqual(log.end());
    });

    test('a refused command has a result too, writes no event, and leaves the version', async () => {
      const { commands, log } = await start();
      await commands.submit(request('a', { by: 5 }));
      const result = await commands.submit(request('a', { by: '-6' }, { commandId: 'c-2' }));
      expect(result).toMatchObject({
        status: 'rejected',
        error: { code: 'below_zero', message: '5 is too little', hint: 'take less' },
        events: [],
        version: 1,
      });
      expect(commands.result('c-2')).toEqual(result);
      expect(events(log, 'a')).toHaveLength(1);
    });

    test('what cannot be understood is refused before it is sent', async () => {
      const { commands, log } = await start();
      const codeOf = (wrong: Parameters<typeof request>) =>
        commands.submit(request(...wrong)).then(
          () => 'taken',
          (error: { code?: string }) => error.code,
        );
      expect(await codeOf(['a', { by: 1 }, { type: 'Multiply' }])).toBe('unknown_command');
      expect(await codeOf(['a', { by: 'many' }])).toBe('command_invalid');
      expect(await codeOf(['a b', { by: 1 }])).toBe('command_invalid');
      expect(log.topic(under.entity.topics.commands)?.records).toBe(0);
    });

    test('an expected version is kept, also by commands that come at once', async () => {
      const { commands, log } = await start();
      const send = (expectedVersion: number) =>
        commands.submit(request('a', { by: 1 }, { expectedVersion })).then(r => r.error?.code ?? r.version);
      expect(await send(1)).toBe('version_conflict');
      expect(await Promise.all([send(0), send(0), send(1)])).toEqual([1, 'version_conflict', 2]);
      expect(events(log, 'a')).toHaveLength(2);
    });

    test('a decider that breaks rejects its command as internal, and those behind it go on', async () => {
      const { commands, errors } = await start();
      const [broken, next] = await Promise.all([
        commands.submit(request('a', { by: 666 })),
        commands.submit(request('a', { by: 1 })),
      ]);
      expect(broken.error).toMatchObject({ code: 'internal', message: 'an internal error' });
      expect(next.status).toBe('accepted');
      expect(errors.filter(e => String(e) === 'Error: a bug in a decider')).toHaveLength(1);
    });

    test('law 4: a command id counts once, in turn and at once', async () => {
      const { commands, log } = await start();
      const first = await commands.submit(request('a', { by: 5 }, { commandId: 'c' }));
      expect(await commands.submit(request('a', { by: 7 }, { commandId: 'c' }))).toEqual(first);
      const sends = Array.from({ length: 200 }, (_, i) =>
        commands.submit(request(`e-${i % 5}`, { by: 1 }, { commandId: `c-${i % 100}` })),
      );
      const results = await Promise.all(sends);
      for (const [i, result] of results.entries()) expect(result).toEqual(results[i % 100]);
      expect(log.topic(under.entity.topics.events)?.records).toBe(101);
      expect(log.topic(under.resultsTopic)?.records).toBe(101);
      expect(text(log.lastByKey(under.entity.topics.snapshots, bytes('e-0'))?.value)).toBe(
        '{"state":20,"version":20}',
      );
    });

    test('what is not promised: without an id of its own a command that is sent again counts again', async () => {
      const { commands } = await start();
      expect((await commands.submit(request('a', { by: 5 }))).version).toBe(1);
      expect((await commands.submit(request('a', { by: 5 }))).version).toBe(2);
    });

    test('law 4: an id is remembered by the next process', async () => {
      const first = await start();
      const result = await first.commands.submit(request('a', { by: 5 }, { commandId: 'c' }));
      await first.close();
      const next = await under.open();
      const again = await next.commands.submit(request('a', { by: 9 }, { commandId: 'c' }));
      expect({ ...again, position: 0 }).toEqual({ ...result, position: 0 });
      expect((await next.commands.submit(request('a', { by: -1 }))).version).toBe(2);
      expect(events(next.log, 'a').map(e => e.by)).toEqual([5, -1]);
    });

    test('commands of others are handled, in the order of the topic', async () => {
      const { commands, log } = await start();
      await commands.submit(request('a', { by: 1 }));
      await under.put('{"type":"Add","commandId":"other","data":{"by":10}}');
      await under.put('{"type":"Add","commandId":"other","data":{"by":10}}');
      const behind = await commands.submit(request('a', { by: 2 }));
      expect(behind.version).toBe(3);
      expect(commands.result('other')).toMatchObject({ status: 'accepted', version: 2 });
      expect(events(log, 'a').map(e => e.by)).toEqual([1, 10, 2]);
    });

    test('commands of others that cannot be decoded are rejected under the name of their place', async () => {
      const { commands, log } = await start();
      const heard: CommandResult[] = [];
      commands.onResult(null, r => heard.push(r));
      for (const value of ['{', '[]', '{"type":"Add","data":{}}', '{"type":"Nothing"}', null]) {
        await under.put(value);
      }
      const last = await commands.submit(request('a', { by: 1 }));
      expect(last.status).toBe('accepted');
      await until('all results are heard', () => heard.length === 6);
      expect(heard.map(r => r.error?.code ?? r.status)).toEqual([
        'command_invalid',
        'command_invalid',
        'command_invalid',
        'unknown_command',
        'command_invalid',
        'accepted',
      ]);
      expect(new Set(heard.map(r => r.commandId)).size).toBe(6);
      expect(heard[2]?.commandId).toMatch(new RegExp(`^${under.entity.topics.commands}-\\d+-2$`));
      expect(events(log, 'a')).toHaveLength(1);
    });

    test('commands that nobody has handled are taken up at the next start', async () => {
      const first = await start();
      await first.commands.submit(request('a', { by: 1 }));
      await first.close();
      await under.put('{"type":"Add","commandId":"left","data":{"by":10}}');
      const next = await under.open();
      expect((await next.commands.submit(request('a', { by: 2 }))).version).toBe(3);
      expect(next.commands.result('left')).toMatchObject({ version: 2 });
      expect(events(next.log, 'a').map(e => e.by)).toEqual([1, 10, 2]);
    });

    test.each([3, 1_000])(
      'an entity that memory does not hold is read again (snapshots every %d)',
      async every => {
        const { commands } = await start({ cacheSize: 1, snapshotEvery: every });
        for (let i = 1; i <= 8; i++) {
          await commands.submit(request('a', { by: 1 }));
          await commands.submit(request('b', { by: 10 }));
        }
        expect((await commands.submit(request('a', { by: -9 }))).error?.message).toBe('8 is too little');
        const results = await Promise.all(
          ['a', 'b', 'a', 'b', 'a'].map(id => commands.submit(request(id, { by: 1 }))),
        );
        expect(results.map(r => r.version)).toEqual([9, 9, 10, 10, 11]);
      },
    );

    test('listeners hear the results of their origin and the events of their entity, each once', async () => {
      const { commands, log } = await start();
      const mine: string[] = [];
      const heard: BusEvent[] = [];
      commands.onResult('me', r => mine.push(r.commandId));
      commands.onEvent('a', e => heard.push(e));
      await commands.submit(request('a', { by: 1 }, { commandId: '1', origin: 'me' }));
      await commands.submit(request('b', { by: 1 }, { commandId: '2', origin: 'you' }));
      await commands.submit(request('a', { by: 2 }, { commandId: '3', origin: 'me' }));
      await until('all is heard', () => heard.length >= 2 && mine.length >= 2);
      expect(mine).toEqual(['1', '3']);
      expect(heard.map(e => [e.entityId, e.event.version, e.commandId])).toEqual([
        ['a', 1, '1'],
        ['a', 2, '3'],
      ]);
      for (const { seq, event } of heard) expect(JSON.parse(text(log.record(seq)?.value))).toEqual(event);
    });

    test('a command may be left to be asked for later', async () => {
      const { commands } = await start();
      const result = Promise.withResolvers<CommandResult>();
      commands.onResult('me', result.resolve);
      const { commandId } = await commands.enqueue(request('a', { by: 1 }, { origin: 'me' }));
      expect(commands.result('never sent')).toBeNull();
      expect(await result.promise).toEqual(commands.result(commandId));
    });
  });
}
