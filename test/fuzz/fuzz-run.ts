import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { Random } from '../oracle/generator/random.ts';
import { Watchdog } from './watchdog.ts';

/** bytes that the heap may have grown from one end of a run to the other, whatever the number of inputs */
const MOST_GROWTH = 12 << 20;

/** ms; the watchdog looks after single inputs */
export const TIMEOUT = 3_600_000;
export const LONG = process.env.MILLRACE_LONG === '1';
export const SEED = Number(process.env.MILLRACE_SEED ?? 20_261_124);

export interface FuzzRun {
  readonly name: string;
  readonly inputs: number;
  readonly seed?: number;
  /** Puts one input through; throws when the answer is not what it may be. Returns how many inputs it was, if not one. */
  each(random: Random, seed: number): number | undefined | Promise<number | undefined>;
}

/**
 * Many random inputs, each of a seed of its own: a failure names the seed that repeats it alone. A thread beside ends the
 * process, naming the seed, when an input does not come to an end; and the heap must not grow with the inputs.
 */
export async function fuzz({ name, inputs, seed = SEED, each }: FuzzRun): Promise<void> {
  const watchdog = new Watchdog(name);
  let done = 0;
  let heapEarly = 0;
  try {
    for (let at = seed; done < inputs; at++) {
      watchdog.begin(at);
      try {
        done += (await each(new Random(at), at)) ?? 1;
      } catch (cause) {
        throw new Error(`${name}: seed ${at}: ${cause instanceof Error ? cause.stack : String(cause)}`, {
          cause,
        });
      }
      // what is made once (tables, caches that fill up, code) is there by then
      if (heapEarly === 0 && done >= inputs / 3) heapEarly = heapUsed();
    }
  } finally {
    await watchdog.stop();
  }
  const grown = heapUsed() - heapEarly;
  console.log(`${name}: ${done} inputs from seed ${seed}, heap ${grown >= 0 ? '+' : ''}${grown >> 10} KB`);
  expect(grown, `${name}: growth of the heap from a third of the inputs to the end`).toBeLessThan(
    MOST_GROWTH,
  );
}

let collect: (() => void) | null = null;

/** bytes in use after a collection */
export function heapUsed(): number {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
