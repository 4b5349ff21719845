import { lineColumn } from './span.ts';

/** What stands beside passwords, and inside of addresses that may hold one; `sasl` and `postgres` for their misspelt parts. */
const SECRET = /passw|secret|sasl|postgres|connection|:\/\//i;
const SETTING = /^\s*["']?[\w.-]+["']?\s*:(\s|$)/;

/**
 * Whether the line of YAML at an offset may hold a secret, so that nobody must print it. A secret may go on in the lines
 * after it, up to a setting that is not further in. The text need not be valid.
 */
export function holdsSecret(text: string, offset: number): boolean {
  let within: number | null = null;
  for (const line of text.split('\n').slice(0, lineColumn(text, offset).line)) {
    const depth = line.length - line.trimStart().length;
    if (within !== null && depth <= within && SETTING.test(line)) within = null;
    if (within === null && SECRET.test(line)) within = depth;
  }
  return within !== null;
}
