import { systemClock } from '../../src/core/clock.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';

/**
 * Appends until it is killed. Record n of the log has n as its value; each append is two records and the position of a
 * handler. Prints what recovery said, then the end of every acknowledged append.
 */
const log = await openEmbeddedLog({ dir: process.argv[2] ?? '', clock: systemClock, sealAfter: 2_000 });
log.createTopic({ name: 'a', partitions: 2, keyIndex: true });
for (const line of log.recovery) console.log(`recovery: ${line}`);

let next = log.end();
async function appendOn(): Promise<void> {
  for (;;) {
    const records = [next++, next++].map(n => ({
      topic: 'a',
      key: Buffer.from(`k${n % 10}`),
      value: Buffer.from(`${n}`.padStart(100, '0')),
    }));
    const appended = log.append({ records, positions: [{ handler: 'h', seq: next }] });
    await appended.durable;
    console.log(`${appended.end}`);
  }
}
await Promise.all(Array.from({ length: 50 }, appendOn));
