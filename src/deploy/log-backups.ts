import { MillraceError } from '../core/errors.ts';
import type { BackupManifest } from '../log/embedded/backup-manifest.ts';
import type { StoredLog } from '../log/embedded/embedded-log.ts';

/** The last backup that this process was asked for. */
export interface BackupStatus {
  readonly folder: string;
  readonly state: 'running' | 'done' | 'failed';
  /** 0..1 */
  readonly fraction: number;
  /** when done */
  readonly manifest: BackupManifest | null;
  /** when failed */
  readonly error: MillraceError | null;
}

/** Backups of the log, one at a time. */
export class LogBackups {
  readonly #log: Pick<StoredLog, 'backUp'>;
  readonly #report: (text: string) => void;
  #status: BackupStatus | null = null;

  constructor(log: Pick<StoredLog, 'backUp'>, report: (text: string) => void) {
    this.#log = log;
    this.#report = report;
  }

  get status(): BackupStatus | null {
    return this.#status;
  }

  /** Begins one. Throws `overloaded` while another one runs. */
  start(folder: string, link: boolean): BackupStatus {
    if (this.#status?.state === 'running') {
      throw new MillraceError('overloaded', `a backup into ${this.#status.folder} is under way`);
    }
    const begun: BackupStatus = { folder, state: 'running', fraction: 0, manifest: null, error: null };
    this.#status = begun;
    const onProgress = (bytes: number, total: number): void => {
      this.#status = { ...begun, fraction: total === 0 ? 1 : bytes / total };
    };
    this.#log.backUp({ folder, link, onProgress }).then(
      manifest => {
        this.#status = { ...begun, state: 'done', fraction: 1, manifest };
      },
      (cause: unknown) => {
        const error = told(folder, cause);
        this.#report(`the backup into ${folder} failed: ${error.message}`);
        this.#status = { ...begun, state: 'failed', error };
      },
    );
    return begun;
  }
}

function told(folder: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new MillraceError('invalid_argument', `${folder} cannot take a backup: ${message}`, { cause });
}
