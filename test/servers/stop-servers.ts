import { wipeSharedBroker } from './shared-broker.ts';

/** Vitest's global set-up of server tests: nothing starts here, what tests have started ends. */
export async function setup(): Promise<void> {
  await wipeSharedBroker(); // what a run that was cut short has left
}

export async function teardown(): Promise<void> {
  await wipeSharedBroker();
}
