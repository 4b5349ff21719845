import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { faultPoint } from '../core/fault-points.ts';

/** starts of the process that a replay may see before it is given up: it may be what ends the process */
const MAX_STARTS = 3;

export interface AskedReplaysOptions {
  /** the note, replaced as a whole */
  readonly path: string;
  /** hears of a replay that goes on, is given up, or cannot be noted: one paragraph */
  readonly report: (text: string) => void;
}

/**
 * The names of views whose replay was asked for and is not done: a note on the disk, so that a crash forgets none. What is
 * asked for is noted at once; what is done is crossed off with {@link AskedReplays.save}, once a crash cannot undo it.
 */
export class AskedReplays extends Set<string> {
  readonly #options: AskedReplaysOptions;
  /** starts that the replay has seen, by view */
  readonly #starts = new Map<string, number>();
  /** what the note says */
  #noted: string;

  constructor(options: AskedReplaysOptions) {
    super();
    this.#options = options;
    const noted = readNote(options.path);
    for (const [name, starts] of noted) {
      if (starts < MAX_STARTS) {
        options.report(`the replay of ${name} was cut short when the process ended: it begins again`);
        this.#starts.set(name, starts + 1);
        super.add(name);
      } else {
        options.report(
          `the replay of ${name} is given up: the process ended ${starts} times before it was done; ask for it again`,
        );
      }
    }
    this.#noted = JSON.stringify(Object.fromEntries(noted));
    this.save();
  }

  override add(name: string): this {
    if (this.has(name)) return this;
    super.add(name);
    this.#starts.set(name, 1);
    this.save();
    return this;
  }

  /** Makes the note say what is so now. */
  save(): void {
    const { path, report } = this.#options;
    const note = JSON.stringify(
      Object.fromEntries([...this].map(name => [name, this.#starts.get(name) ?? 1])),
    );
    if (note === this.#noted) return;
    try {
      mkdirSync(dirname(path), { recursive: true });
      faultPoint('deploy.replays.write');
      const file = openSync(`${path}.new`, 'w');
      try {
        writeSync(file, note);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      faultPoint('deploy.replays.rename');
      renameSync(`${path}.new`, path);
      this.#noted = note;
    } catch (error) {
      report(
        `the replays that were asked for could not be noted, a crash would forget them: ${String(error)}`,
      );
    }
  }
}

/** A note that cannot be read is as good as none: a replay changes no answer. */
function readNote(path: string): ReadonlyMap<string, number> {
  try {
    const note: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof note !== 'object' || note === null) return new Map();
    return new Map(Object.entries(note).map(([name, starts]) => [name, Number(starts) || 1]));
  } catch {
    return new Map();
  }
}
