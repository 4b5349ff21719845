import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../core/assert.ts';
import { armFaultPoints, faultPoint } from '../../core/fault-points.ts';
import { openViewFile, type ViewFile } from '../../view-store/view-file.ts';
import { lastChanges } from '../last-changes.ts';
import { failureOf } from '../live/protocol.ts';
import type { FromFolder, ToFolder } from './row-folder.ts';

/** Writes rows of a build to the files of its views, beside the thread that computes them. */

interface Folding {
  /** null until something is written */
  file: ViewFile | null;
  /** changes that the file may not have */
  unfolded: Uint8Array[];
  position: number;
}

const port = parentPort;
assert(port !== null, 'rows are folded by a worker thread');
armFaultPoints(process.env.MILLRACE_FAULTS_BUILD, () => process.kill(process.pid, 'SIGKILL'));
const closed = workerData as Int32Array;
/** by path of the file */
const views = new Map<string, Folding>();
/** messages whose rows are not in the files */
let unanswered = 0;

function take({ path, changes, append, position }: Extract<ToFolder, { type: 'fold' }>): void {
  const view = views.get(path) ?? { file: null, unfolded: [], position };
  views.set(path, view);
  view.unfolded.push(append ? changes : lastChanges(changes));
  view.position = position;
  unanswered++;
}

/** What a full disk refuses stays at hand until somebody asks again. */
function fold(): void {
  try {
    for (const [path, view] of views) {
      if (view.unfolded.length === 0) continue;
      // the files may be gone by now: they must not be made anew
      if (Atomics.load(closed, 0) === 1) return;
      view.file ??= openViewFile(path);
      faultPoint('build.fold-beside');
      view.file.fold(view.unfolded, view.position);
      view.unfolded = [];
    }
    port?.postMessage({ type: 'folded', messages: unanswered } satisfies FromFolder);
    unanswered = 0;
  } catch (error) {
    port?.postMessage({ type: 'failed', failure: failureOf(error) } satisfies FromFolder);
  }
}

port.on('message', (message: ToFolder) => {
  if (message.type === 'close') {
    void Promise.all([...views.values()].map(v => v.file?.close())).then(() => port.close());
    return;
  }
  if (message.type === 'fold') take(message);
  fold();
});
port.postMessage({ type: 'ready' } satisfies FromFolder);
