import type { BlockScan, LogReader } from './event-log.ts';

/** A scan that reads when it is asked. */
export function directScan(log: LogReader): BlockScan {
  return {
    next(from, maxRecords) {
      for (const block of log.scan(from, undefined, maxRecords)) return block;
      return null;
    },
    close() {},
  };
}
