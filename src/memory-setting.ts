import { totalmem } from 'node:os';
import { parseByteSize } from './core/byte-size.ts';

/** share of the machine's memory that operator state may take unless told otherwise */
export const DEFAULT_MEMORY_BUDGET = '25%';

/** Bytes of a memory budget such as `2GiB`, `512MiB` or `25%` (of the machine's memory); null when it is none. */
export function memoryBudget(text: string, machine: number = machineMemory()): number | null {
  const [, percent] = /^(\d{1,3})%$/.exec(text) ?? [];
  if (percent === undefined) {
    const bytes = parseByteSize(text);
    return bytes === 0 ? null : bytes;
  }
  const share = Number(percent) / 100;
  return share > 0 && share <= 1 ? Math.floor(machine * share) : null;
}

/** What this process may use: of the machine, or of the container it runs in. */
function machineMemory(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}
