import { resolve } from 'node:path';
import { Broker } from './kafka-broker.ts';

const dir = resolve(import.meta.dirname, '../../.cache/test-kafka');

/** The broker of all server tests, started by the first one that asks. Topics are the test's own: name them uniquely. */
export async function sharedBroker(): Promise<Broker> {
  return Broker.start({ dir });
}

/** Stops the shared broker and forgets what it held. */
export async function wipeSharedBroker(): Promise<void> {
  await Broker.wipe(dir);
}
