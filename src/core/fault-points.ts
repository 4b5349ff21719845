/**
 * The places at which a crash or a failing disk matters: one beside every write that is to last. They do nothing
 * unless a test arms them from outside; `test/faults/write-points.test.ts` fails for a write without one.
 */
export const FAULT_POINTS = {
  'log.lock.take': 'before the text of a lock is written',
  'log.lock.link': 'before the lock is taken, if nobody has it',
  'log.lock.set-aside': "before a dead process's lock is moved away",
  'log.lock.release': 'before the lock file is removed',
  'log.create': 'before a new log writes its id',
  'log.commit': 'before a group commit of the log',
  'log.committed': 'a group commit is on disk, nobody was told yet',
  'log.topic': 'before a topic is made',
  'log.clock': 'before a tick is appended',
  'log.segment.create': 'before a new segment file is made',
  'log.segment.folder': 'a new segment file is made, its name not yet on disk',
  'log.segment.write': 'before blocks are written to a segment file',
  'log.segment.sync': 'blocks are written to a segment file and not yet on disk',
  'log.segment.register': 'blocks are on disk, the index does not know them yet',
  'log.segment.registered': 'the index knows the blocks, the log does not yet read them',
  'log.segment.cut': 'before a torn end of a segment file is cut off',
  'log.segment.remove': 'before a segment file that nobody knows is removed',
  'upkeep.act': 'before a trim or a compaction of the log is written down',
  'upkeep.keys': 'it is written down, index entries of what it takes are still there',
  'upkeep.swap': 'blocks without what goes are on disk, the index knows the old ones',
  'upkeep.swapped': 'the index knows the new blocks, the old ones still take room',
  'upkeep.segment.forget': 'before the index forgets segments of which nothing is left',
  'upkeep.segment.remove': 'before such a segment is removed',
  'upkeep.compacted': 'a compaction is complete, nobody knows it yet',
  'upkeep.done': 'the room is free, the work is not yet crossed off',
  'backup.index': 'before the index of the log is copied',
  'backup.index.sync': 'the index is copied, not yet on disk',
  'backup.index.named': 'before the copy of the index gets its name',
  'backup.file': 'before a segment is copied into or out of a backup',
  'backup.file.write': 'before a piece of a copy is written',
  'backup.file.sync': 'a copy is complete, not yet on disk and without its name',
  'backup.link': 'before a segment is linked into a backup',
  'backup.manifest': 'all files of a backup are there, its manifest is not',
  'backup.done': 'before the manifest makes the backup valid',
  'backup.clean': 'before what only the backup before needed is removed',
  'restore.begin': 'before what an interrupted restore left is removed',
  'restore.done': 'a restored log is complete, and not yet in its place',
  'store.write': 'before a transaction of the journal or of a view file',
  'store.written': 'a transaction of the journal or of a view file is on disk',
  'journal.commit': 'before state, rows and position of the live views are committed',
  'journal.committed': 'they are committed, no view file has the rows yet',
  'journal.folded': 'the view files have the rows, the journal still holds them',
  'journal.drop': 'before a damaged journal is removed',
  'journal.clear': 'before a journal of another format is emptied',
  'view.fold': 'before rows go to the file of a view',
  'build.fold': 'before a build writes rows of a view to its file',
  'build.fold-beside': 'before the thread beside a long build writes rows to the file of a view',
  'build.read-ahead': 'before the thread beside a long build reads on in the log',
  'build.finish': 'a build has seen the whole log, its last rows are not in its files',
  'build.finished': 'the files of a build are complete, nobody knows it yet',
  'live.adopt': 'before the live views take a finished build in',
  'live.adopted': 'the live views have taken it in, nobody reads it yet',
  'deploy.served': 'a finished build is served, and not yet committed',
  'deploy.remove': 'before the folder of a view version is removed',
  'deploy.replays.write': 'before the replays that were asked for are noted',
  'deploy.replays.rename': 'they are noted under another name',
  'sink.append': 'before records of a derived topic are appended',
  'sink.complete': 'before the position of a filled topic is appended',
  'topic.produce': 'before a record that came over HTTP is appended',
  'kafka.copy': 'before copied records of a Kafka topic are appended',
  'command.accept': 'before a command is appended',
  'command.decide': 'before events, snapshot and result of commands are appended',
  'command.pass': 'before the position of an idle command handler is appended',
  'sink.file.load': 'before the fresh copy of a view is begun in a file',
  'sink.file.write': 'before rows go into it',
  'sink.file.sync': 'it is complete, and not yet on disk',
  'sink.file.swap': 'it is on disk, and not yet in its place',
  'sink.file.drop': 'before a copy that was left is removed',
  'sink.file.cut': 'before what stands behind the last position of a file is cut off',
  'sink.file.append': 'before changes of a view and their position are written to a file',
  'sink.file.appended': 'they are written, and not yet on disk',
  'reaction.position': 'an item was handled, its position is not yet appended',
} as const;

export type FaultPoint = keyof typeof FAULT_POINTS;

let passing: ((point: FaultPoint) => void) | null = null;

/** Call it beside a durable write. Costs one comparison when nothing is armed. */
export function faultPoint(point: FaultPoint): void {
  if (passing !== null) passing(point);
}

/** A system error as Node's file functions throw it. */
export class InjectedFault extends Error {
  readonly code: string;

  constructor(code: string, point: FaultPoint) {
    super(`${code}: injected at ${point}`);
    this.code = code;
  }
}

/**
 * Arms this thread's points. `plan`: parts `point@n=what`, separated by commas; `what` is `kill` or the code of a system
 * error (`ENOSPC`, `EIO`), n the passing at which it happens, `n+m` with the m passings after it, `*` any point.
 * Null or empty arms nothing. `kill` must end the process at once.
 */
export function armFaultPoints(plan: string | null | undefined, kill: () => void): void {
  const faults = (plan ?? '').split(',').filter(Boolean).map(parseFault);
  if (faults.length === 0) {
    passing = null;
    return;
  }
  const passed = new Map<string, number>();
  const count = (name: string): number => {
    const n = (passed.get(name) ?? 0) + 1;
    passed.set(name, n);
    return n;
  };
  passing = point => {
    const times = count(point);
    const all = count('*');
    for (const { name, first, last, what } of faults) {
      const n = name === '*' ? all : name === point ? times : 0;
      if (n < first || n > last) continue;
      if (what === 'kill') kill();
      else throw new InjectedFault(what, point);
    }
  };
}

interface Fault {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly what: string;
}

function parseFault(text: string): Fault {
  const found = /^([a-z.*-]+)@(\d+)(?:\+(\d+))?=(kill|E[A-Z]+)$/.exec(text);
  const [, name = '', first = '', more = '0', what = ''] = found ?? [];
  if (found === null || (name !== '*' && !Object.hasOwn(FAULT_POINTS, name))) {
    throw new Error(
      `MILLRACE_FAULTS: "${text}" is no fault; write point@n=kill, point@n+m=ENOSPC or *@n=kill`,
    );
  }
  return { name, first: Number(first), last: Number(first) + Number(more), what };
}
