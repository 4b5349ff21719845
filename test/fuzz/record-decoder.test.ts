import { expect, test } from 'vitest';
import { DecodeError } from '../../src/decode/decode-error.ts';
import { readJson } from '../../src/decode/json-reader.ts';
import { mutated } from './byte-mutation.ts';
import { decodedAlike } from './decoded-alike.ts';
import { fuzz, LONG, TIMEOUT } from './fuzz-run.ts';
import { anyJson } from './random-json.ts';

const RECORDS = Number(process.env.MILLRACE_FUZZ_RECORDS ?? (LONG ? 750_000 : 5_000));
const TEXTS = LONG ? 110_000 : 1_500;

test(
  `${RECORDS} records, many of them damaged: blocks and rows are decoded alike, whatever the bytes`,
  { timeout: TIMEOUT },
  () =>
    fuzz({
      name: 'decoders',
      inputs: RECORDS,
      each: random => {
        const { problem, records } = decodedAlike(random);
        expect(problem).toBeNull();
        return records;
      },
    }),
);

test(
  `${TEXTS} texts: the JSON reader takes what JSON.parse takes, and nothing else`,
  { timeout: TIMEOUT },
  () =>
    fuzz({
      name: 'JSON reader',
      inputs: TEXTS,
      each: random => {
        const text = new TextEncoder().encode(anyJson(random, 4));
        const bytes = random.chance(0.7) ? mutated(random, text) : text;
        let problem: string | null = null;
        try {
          readJson(bytes);
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error;
          problem = error.message;
        }
        if (problem?.includes('nested deeper')) return undefined;
        const shown = `${JSON.stringify(new TextDecoder().decode(bytes))} ${problem}`;
        expect(problem === null, shown).toBe(isJson(bytes));
        return undefined;
      },
    }),
);

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}
