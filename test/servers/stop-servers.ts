import { wipeOldBrokers } from './shared-broker.ts';

/** Vitest's global set-up of server tests: nothing starts here, what tests have started ends. */
export async function setup(): Promise<void> {
  await wipeOldBrokers();
}

export async function teardown(): Promise<void> {
  await wipeOldBrokers();
}
