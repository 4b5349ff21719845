import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import { expect, it } from 'vitest';
import { decodeResult } from '../../src/commands/command-result.ts';
import { systemClock } from '../../src/core/clock.ts';
import { logDir } from '../../src/dataflow/worker-environment.ts';
import { createMissingTopics } from '../../src/kafka/command-topics.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { partitionOf } from '../../src/log/murmur2.ts';
import { Broker } from '../servers/kafka-broker.ts';
import { until } from '../until.ts';
import { counterNamed } from './counter-node.ts';
import { foldedRows, servedRows, startCounterViews, writeCounterViews } from './counter-views.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

const long = process.env.MILLRACE_LONG === '1';
const KILLS = long ? 100 : 10;
/**
 * In the long form only: in one of five runs with such kills nine commands were handled twice, and the cause is not known
 * yet (docs/kafka.md, "What cannot be promised").
 */
const BROKER_TOO = long || process.env.MILLRACE_KILL_BROKER === '1';
const PARTITIONS = 8;
const NODES = 3;
/** ms; nodes have 6 s by default: a death is noticed that much later */
const SESSION = 2_000;
/** commands without an answer beyond which none are sent: a queue that only grows would hide who handles it */
const UNANSWERED = 500;
/** commands of one send: 200 a second, as far as the machine allows */
const EACH = 10;
const EVERY = 50;
/** load per core, beyond which a time says nothing of what is tested: nodes and broker make about 2 */
const BUSY = 3;
const seed = Number(process.env.MILLRACE_SEED ?? 1);

let random = seed;
const next = (below: number): number => {
  random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
  return Math.floor((random / 0x7fffffff) * below) % below;
};

interface Sent {
  readonly commandId: string;
  readonly entity: string;
  readonly at: number;
}

it(`${KILLS} kills of handlers${BROKER_TOO ? ' and of the broker' : ''}: every command that Kafka took has one result and one effect, and views are exact (seed ${seed})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-handlers-'));
  const brokerDir = join(folder, 'broker');
  const { address } = await Broker.start({ dir: brokerDir });
  const topics = new Topics(address);
  const name = 'counter';
  const { entity, resultsTopic } = counterNamed(name);
  const { commands, events, snapshots } = entity.topics;
  await createMissingTopics(
    topics.kafka,
    [commands, events, snapshots, resultsTopic].map(t => ({ name: t, partitions: PARTITIONS, config: {} })),
  );
  const views = join(folder, 'views');
  writeCounterViews(views, name);
  const nodes: ChildProcess[] = [];
  const startNode = (i: number): void => {
    const dir = join(folder, `node-${i}`);
    mkdirSync(dir, { recursive: true });
    const child = join(import.meta.dirname, 'counter-child.ts');
    nodes[i] = spawn(
      process.execPath,
      [child, dir, address, name, String(SESSION), ...(i === 0 ? [views] : [])],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
  };
  for (let i = 0; i < NODES; i++) startNode(i);

  const watcher = new Replica(
    topics.settings,
    [events, snapshots, resultsTopic],
    createMemoryLog({ clock: systemClock }),
  );
  const answered = new Set<string>();
  let read = 0;
  watcher.log.onFlushed(end => {
    for (const block of watcher.log.read(read, end)) {
      const topic = block.topics.indexOf(resultsTopic);
      for (let i = 0; i < block.n; i++) {
        if (topic < 0 || block.topic[i] !== topic) continue;
        answered.add(Buffer.from(block.bytes.subarray(block.keyStart[i]!, block.keyEnd[i]!)).toString());
      }
    }
    read = end;
  });

  const sent: Sent[] = [];
  /** ms until all partitions moved after the death of a node, and whether the machine had too much other work then */
  const takeovers: { readonly ms: number; readonly busy: boolean }[] = [];
  const began = performance.now();
  let sending = true;
  const load = (async () => {
    let producer: Producer | null = null;
    for (let n = 0, due = began; sending; ) {
      if (sent.length - answered.size > UNANSWERED) {
        await pause(EVERY);
        continue;
      }
      const batch = Array.from({ length: EACH }, () => ({ commandId: `c-${n++}`, entity: `e-${next(200)}` }));
      const at = performance.now();
      try {
        if (producer === null) {
          producer = topics.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
          await producer.connect();
        }
        await producer.send({
          topic: commands,
          acks: -1,
          messages: batch.map(c => ({
            key: c.entity,
            value: JSON.stringify({ type: 'Add', commandId: c.commandId, data: { by: '1' } }),
          })),
        });
        for (const c of batch) sent.push({ ...c, at });
      } catch {
        // the broker is being killed: whether it took these is not known, so nothing is expected of them
        await producer?.disconnect().catch(() => {});
        producer = null;
      }
      due = Math.max(due + EVERY, performance.now() - EVERY);
      await pause(Math.max(0, due - performance.now()));
    }
    await producer?.disconnect();
  })();
  /** Every partition has an answer to a command that was sent after `since`. */
  const allMove = (since: number) => {
    const moving = new Set<number>();
    for (let i = sent.length - 1; i >= 0 && sent[i]!.at >= since; i--) {
      const { entity: id, commandId } = sent[i]!;
      if (answered.has(commandId)) moving.add(partitionOf(Buffer.from(id), PARTITIONS));
    }
    return moving.size === PARTITIONS;
  };

  try {
    await until('the nodes answer', () => allMove(0), 60_000);
    for (let kill = 0; kill < KILLS; kill++) {
      const since = performance.now();
      if (BROKER_TOO && kill % 4 === 2) {
        await Broker.at(brokerDir)?.kill();
        await Broker.start({ dir: brokerDir });
        await until('all partitions move after a kill of the broker', () => allMove(since), 60_000);
        continue;
      }
      const victim = next(NODES);
      const node = nodes[victim]!;
      expect(node.exitCode, 'no node ends by itself').toBe(null);
      const ended = once(node, 'exit');
      node.kill('SIGKILL');
      await ended;
      // the others take its partitions: it comes back later, or at once
      const later = next(2) === 0;
      if (!later) startNode(victim);
      await until('all partitions move after the death of a node', () => allMove(since), 120_000);
      const busy = (loadavg()[0] ?? 0) > BUSY * availableParallelism();
      takeovers.push({ ms: performance.now() - since, busy });
      if (later) startNode(victim);
      await pause(next(300));
    }
    sending = false;
    await load;
    const seconds = (performance.now() - began) / 1_000;
    await until('all that was sent is answered', () => sent.every(c => answered.has(c.commandId)), 60_000);
    await watcher.caughtUp();

    const results = recordsOf(watcher.log, resultsTopic);
    const ids = results.map(r => textOf(r.key));
    expect(ids).toHaveLength(new Set(ids).size);
    for (const c of sent) expect(answered.has(c.commandId)).toBe(true);
    // Kafka's own client may have written commands of which it did not hear: they have one result, too
    const byEntity = Map.groupBy(recordsOf(watcher.log, events), r => textOf(r.key));
    const answersTo = Map.groupBy(results, r => decodeResult(r.value ?? new Uint8Array(), r.seq).entityId);
    for (const [id, of] of answersTo) expect(byEntity.get(id)).toHaveLength(of.length);
    expect(byEntity.size).toBe(answersTo.size);
    const states = new Map(recordsOf(watcher.log, snapshots).map(r => [textOf(r.key), textOf(r.value)]));
    for (const [id, records] of byEntity) {
      const versions = records.map(r => (JSON.parse(textOf(r.value) ?? '') as { version: number }).version);
      expect(versions).toEqual(versions.map((_, i) => i + 1));
      expect(states.get(id)).toBe(JSON.stringify({ state: records.length, version: records.length }));
    }

    // the node with views, killed once more: state and rows that came through all of it equal the fold over Kafka's topics
    for (const node of nodes) node.kill('SIGKILL');
    await Promise.all(nodes.map(node => node.exitCode ?? node.signalCode ?? once(node, 'exit')));
    const dir = join(folder, 'node-0');
    const log = await openEmbeddedLog({ dir: logDir(dir), clock: systemClock });
    const replica = new Replica(topics.settings, [commands, events, snapshots, resultsTopic], log);
    const served = await startCounterViews(log, dir, views);
    try {
      await replica.caughtUp(120_000);
      await until('both have the same records', () =>
        [events, snapshots, resultsTopic].every(
          t => `${log.topic(t)?.ends}` === `${watcher.log.topic(t)?.ends}`,
        ),
      );
      await served.settled();
      expect(await served.waitFor(log.end(), 120_000)).toBe(true);
      const rows = servedRows(served);
      expect([...rows.keys()].sort()).toEqual(['exact', 'statuses', 'totals']);
      expect(rows).toEqual(foldedRows(watcher.log, views));
      expect(rows.get('totals')).toHaveLength(byEntity.size);
    } finally {
      await served.stop();
      await replica.stop();
      await log.close();
    }
    takeovers.sort((a, b) => a.ms - b.ms);
    const at = (part: number) => `${((takeovers.at(part)?.ms ?? 0) / 1_000).toFixed(1)} s`;
    const late = takeovers.filter(t => t.ms > 10_000);
    console.log(
      `${sent.length} commands, ${Math.round(sent.length / seconds)}/s; partitions moved ${at(takeovers.length >> 1)} (median), ${at(-1)} (longest) after a death, ${late.length} of ${takeovers.length} after more than 10 s, ${takeovers.filter(t => t.busy).length} under a load of more than ${BUSY} per core`,
    );
    expect(late.filter(t => !t.busy)).toEqual([]);
  } finally {
    sending = false;
    for (const node of nodes) node.kill('SIGKILL');
    await load.catch(() => {});
    await watcher.stop();
    await Broker.wipe(brokerDir);
    rmSync(folder, { recursive: true, force: true });
  }
}, 3_600_000);
