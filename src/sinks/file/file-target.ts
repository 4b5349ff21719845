import { mkdirSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assert } from '../../core/assert.ts';
import { MillraceError } from '../../core/errors.ts';
import { faultPoint } from '../../core/fault-points.ts';
import { positionToken } from '../../core/position.ts';
import { typeText } from '../../core/sql-type.ts';
import type { Row } from '../../core/value.ts';
import type { ServedRow, ViewChange } from '../../deploy/view-access.ts';
import type { JsonOf, SinkKind, SinkLoad, SinkState, SinkTarget, SinkView } from '../sink-target.ts';
import { type ChangeFile, readChangeFile } from './change-file.ts';

export interface FileOptions {
  readonly sink: string;
  readonly path: string;
  readonly json: JsonOf;
}

/** A view as a file of JSON lines that other programs can follow: see `change-file.ts`. */
export function fileSink(options: FileOptions): SinkKind {
  return { place: `file ${options.path}`, make: () => new FileTarget(options) };
}

type Encode = (item: Pick<ServedRow, 'row' | 'key'>) => string;

interface Lines {
  readonly put: Encode;
  readonly gone: Encode;
}

class FileTarget implements SinkTarget {
  readonly #path: string;
  readonly #fresh: string;
  readonly #json: JsonOf;
  #found: ChangeFile | null = null;
  #lines: Lines | null = null;
  #file: FileHandle | null = null;
  #loading: FileHandle | null = null;

  constructor({ path, json }: FileOptions) {
    this.#path = path;
    this.#fresh = `${path}.new`;
    this.#json = json;
  }

  async open(view: SinkView): Promise<SinkState | null> {
    await this.#dropLoad();
    await this.#file?.close();
    this.#file = null;
    return this.#asked(async () => {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#lines = linesOf(view, this.#json);
      this.#found = readChangeFile(this.#path);
      if (this.#found === null) return null;
      this.#file = await open(this.#path, 'r+');
      // what a crash has left behind the last position never happened
      faultPoint('sink.file.cut');
      await this.#file.truncate(this.#found.length);
      return this.#found.state;
    });
  }

  async load(view: SinkView): Promise<SinkLoad> {
    const { put, gone } = this.#opened();
    await this.#dropLoad();
    const file = await this.#asked(() => {
      faultPoint('sink.file.load');
      return open(this.#fresh, 'w');
    });
    this.#loading = file;
    const add = (text: string) =>
      this.#asked(() => {
        faultPoint('sink.file.write');
        return file.writeFile(text);
      });
    await add(`${headOf(view)}\n`);
    return {
      rows: (rows: readonly ServedRow[]) => add(rows.map(put).join('')),
      changes: (changes: readonly ViewChange[]) => add(textOf(changes, put, gone)),
      commit: async (state: SinkState) => {
        await add(positionLine(state));
        await this.#asked(async () => {
          faultPoint('sink.file.sync');
          await file.datasync();
          this.#refuseConflict();
          faultPoint('sink.file.swap');
          await rename(this.#fresh, this.#path);
        });
        this.#loading = null;
        await this.#file?.close();
        this.#file = file;
        this.#found = readChangeFile(this.#path);
        assert(this.#found !== null, 'a file that was written ends with a position');
      },
    };
  }

  async apply(changes: readonly ViewChange[], from: SinkState, to: SinkState): Promise<void> {
    const { put, gone } = this.#opened();
    const file = this.#file;
    const found = this.#found;
    assert(file !== null && found !== null, 'changes come after rows');
    assert(found.state.position === from.position, 'the runner goes on from where it left');
    this.#refuseConflict();
    const bytes = Buffer.from(textOf(changes, put, gone) + positionLine(to), 'utf8');
    await this.#asked(async () => {
      for (let at = 0; at < bytes.length; ) {
        faultPoint('sink.file.append');
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, found.length + at);
        at += bytesWritten;
      }
      faultPoint('sink.file.appended');
      await file.datasync();
    });
    this.#found = { ...found, state: to, length: found.length + bytes.length };
  }

  async close(): Promise<void> {
    await this.#dropLoad();
    await this.#file?.close().catch(() => {}); // every change was synced
    this.#file = null;
  }

  #opened(): Lines {
    assert(this.#lines !== null, 'the target was opened');
    return this.#lines;
  }

  async #dropLoad(): Promise<void> {
    if (this.#loading === null) return;
    await this.#loading.close().catch(() => {}); // it is removed
    this.#loading = null;
    faultPoint('sink.file.drop');
    await rm(this.#fresh, { force: true }).catch(() => {}); // the next load writes over it
  }

  /** Another process has written a position, or has put another file there. */
  #refuseConflict(): void {
    const now = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    const same =
      now === undefined
        ? this.#found === null
        : now.ino === this.#found?.inode && now.size === BigInt(this.#found.length);
    if (same) return;
    throw new MillraceError('sink_conflict', `somebody else writes ${this.#path}`, {
      hint: 'two servers need two files',
    });
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      const away = code === 'ENOSPC' || code === 'EIO' || code === 'EDQUOT';
      throw new MillraceError(
        away ? 'sink_unreachable' : 'sink_refused',
        `${this.#path} cannot be written: ${(error as Error).message}`,
        { hint: away ? 'it is tried again' : 'name a file that this user may write', cause: error },
      );
    }
  }
}

function headOf({ name, version, columns, key }: SinkView): string {
  return JSON.stringify({
    view: name,
    version,
    columns: columns.map(c => ({ name: c.name, type: typeText(c.type) })),
    key: key.map(i => columns[i]?.name),
  });
}

function positionLine({ log, position }: SinkState): string {
  return `{"position":"${positionToken({ log, seq: position })}"}\n`;
}

function textOf(changes: readonly ViewChange[], put: Encode, gone: Encode): string {
  let text = '';
  for (const change of changes) text += change.op === 'delete' ? gone(change) : put(change);
  return text;
}

/** Rows without a key of their own are told apart by `id`, in whose order they came. */
function linesOf({ columns, key }: SinkView, json: JsonOf): Lines {
  const object = (picked: readonly number[]) => {
    const fields = picked.flatMap(i => {
      const column = columns[i];
      return column === undefined ? [] : [{ i, name: JSON.stringify(column.name), text: json(column.type) }];
    });
    return (row: Row) => `{${fields.map(f => `${f.name}:${f.text(row[f.i] ?? null)}`).join(',')}}`;
  };
  const all = object(columns.map((_, i) => i));
  const id = (bytes: Uint8Array) => JSON.stringify(Buffer.from(bytes).toString('base64url'));
  if (key.length > 0) {
    const keyed = object(key);
    return { put: ({ row }) => `{"put":${all(row)}}\n`, gone: ({ row }) => `{"delete":${keyed(row)}}\n` };
  }
  return {
    put: ({ row, key: at }) => `{"put":${all(row)},"id":${id(at)}}\n`,
    gone: ({ key: at }) => `{"delete":{},"id":${id(at)}}\n`,
  };
}
