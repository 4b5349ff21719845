import { createMemoryLog } from '../../src/log/memory-log.ts';
import { eventLogContract } from './event-log.contract.ts';

eventLogContract(
  'memory',
  {
    open: async clock => createMemoryLog({ clock }),
    dispose: log => log.close(),
  },
  false,
);
