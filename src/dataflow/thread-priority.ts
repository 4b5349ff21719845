import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Lets the threads that serve go before the calling one. Linux counts priority by thread, and `/proc/thread-self` names
 * the one that looks. Elsewhere nothing happens: a process has one priority there.
 */
export function lowerThreadPriority(nice: number): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(Number(/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1]), nice);
  } catch {
    // no /proc, or not allowed: only slower
  }
}
