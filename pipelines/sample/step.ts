import type { CommandRequest, PlainJson } from '../../src/index.ts';

/** One thing that happens in the sample history. */
export type Step =
  | { readonly at: number; readonly command: CommandRequest }
  | { readonly at: number; readonly record: SampleRecord };

export interface SampleRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: { readonly [field: string]: PlainJson };
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
