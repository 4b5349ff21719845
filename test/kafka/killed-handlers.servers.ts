import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createMissingTopics } from '../../src/kafka/command-topics.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import { partitionOf } from '../../src/log/murmur2.ts';
import { Broker } from '../servers/kafka-broker.ts';
import { until } from '../until.ts';
import { counterNamed } from './counter-node.ts';
import { Replica, recordsOf, textOf } from './replica.ts';
import { Topics } from './topics.ts';

const KILLS = process.env.MILLRACE_LONG === '1' ? 100 : 6;
const PARTITIONS = 8;
const NODES = 3;
const SESSION = 2_000;
/** commands of one send, every 50 ms: 200 a second */
const EACH = 10;
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

it(`${KILLS} kills of handlers and of the broker: every command that Kafka took has one result and one effect (seed ${seed})`, async () => {
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
  const nodes: ChildProcess[] = [];
  const startNode = (i: number): void => {
    const dir = join(folder, `node-${i}`);
    mkdirSync(dir, { recursive: true });
    const child = join(import.meta.dirname, 'counter-child.ts');
    nodes[i] = spawn(process.execPath, [child, dir, address, name, String(SESSION)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
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
  let sending = true;
  const load = (async () => {
    let producer: Producer | null = null;
    for (let n = 0; sending; ) {
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
      await pause(50);
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
      if (kill % 4 === 2) {
        await Broker.at(brokerDir)?.kill();
        await Broker.start({ dir: brokerDir });
        await until('all partitions move after a kill of the broker', () => allMove(since), 60_000);
        continue;
      }
      const victim = next(NODES);
      const ended = new Promise(resolve => nodes[victim]!.once('exit', resolve));
      nodes[victim]!.kill('SIGKILL');
      await ended;
      // the others take its partitions: it comes back later, or at once
      const later = next(2) === 0;
      if (!later) startNode(victim);
      await until('all partitions move within 10 s after the death of a node', () => allMove(since), 10_000);
      if (later) startNode(victim);
      await pause(next(300));
    }
    sending = false;
    await load;
    await until('all that was sent is answered', () => sent.every(c => answered.has(c.commandId)), 60_000);
    await watcher.caughtUp();

    const results = recordsOf(watcher.log, resultsTopic);
    const ids = results.map(r => textOf(r.key));
    expect(ids).toHaveLength(new Set(ids).size);
    for (const c of sent) expect(answered.has(c.commandId)).toBe(true);
    // Kafka's own client may have written commands of which it did not hear: they have one result, too
    const byEntity = Map.groupBy(recordsOf(watcher.log, events), r => textOf(r.key));
    const effects = [...byEntity.values()].flat().length;
    expect(effects).toBe(ids.length);
    const states = new Map(recordsOf(watcher.log, snapshots).map(r => [textOf(r.key), textOf(r.value)]));
    for (const [id, records] of byEntity) {
      const versions = records.map(r => (JSON.parse(textOf(r.value) ?? '') as { version: number }).version);
      expect(versions).toEqual(versions.map((_, i) => i + 1));
      expect(states.get(id)).toBe(JSON.stringify({ state: records.length, version: records.length }));
    }
  } finally {
    sending = false;
    for (const node of nodes) node.kill('SIGKILL');
    await load.catch(() => {});
    await watcher.stop();
    await Broker.wipe(brokerDir);
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);
