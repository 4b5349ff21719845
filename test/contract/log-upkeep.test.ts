import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createMemoryLog } from '../../src/log/memory-log.ts';
import type { LogUnderTest } from './event-log.contract.ts';
import { logUpkeepContract } from './log-upkeep.contract.ts';

const memory: LogUnderTest = {
  open: async clock => createMemoryLog({ clock }),
  dispose: log => log.close(),
};

const folders = new Map<EventLog, string>();
const embedded: LogUnderTest = {
  async open(clock) {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-log-'));
    const log = await openEmbeddedLog({ dir, clock });
    folders.set(log, dir);
    return log;
  },
  async dispose(log) {
    await log.close();
    rmSync(folders.get(log)!, { recursive: true });
    folders.delete(log);
  },
};

logUpkeepContract('memory', memory, false);
logUpkeepContract('embedded, from the tail', embedded, false);
logUpkeepContract('embedded, sealed', embedded, true);
