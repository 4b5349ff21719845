import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MillraceError } from '../core/errors.ts';
import { ApiClient, type ServerAddress } from './api-client.ts';
import { buildFraction } from './build-watch.ts';
import { progressLine } from './progress.ts';

/** Options that every command which needs data has. */
export interface CommonOptions {
  readonly data?: string | undefined;
  readonly url?: string | undefined;
  readonly json?: boolean | undefined;
}

export interface Output {
  line(text: string): void;
  error(text: string): void;
}

export const terminal: Output = {
  line: text => {
    process.stdout.write(`${text}\n`);
  },
  error: text => {
    process.stderr.write(`${text}\n`);
  },
};

export interface Server {
  readonly client: ApiClient;
  /** opened on the folder for this call alone: nothing else happens to it meanwhile */
  readonly temporary: boolean;
}

/** Folders that a data folder was last served with, so that a call without a server sees the same views. */
export interface ServedFolders {
  readonly views: string;
  readonly pipelines: string;
}

const FOLDERS = 'folders.json';
const LOOK_EVERY = 200;

export function rememberFolders(dataDir: string, folders: ServedFolders): void {
  writeFileSync(join(dataDir, FOLDERS), `${JSON.stringify(folders, null, 2)}\n`);
}

/**
 * Runs `work` against the server that `--url` names, or the one that runs on the data folder, or, when none runs, one
 * that is opened on the folder for this call alone (no sample, no watching of files, an ephemeral loopback port).
 */
export async function withServer<T>(
  options: CommonOptions,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  if (options.url !== undefined) {
    const url = options.url.replace(/\/$/, '');
    const client = new ApiClient({ url, token: process.env.MILLRACE_TOKEN ?? null });
    return work({ client, temporary: false });
  }
  const dataDir = await dataFolder(options.data);
  const running = await runningServer(dataDir);
  if (running !== null) return work({ client: new ApiClient(running), temporary: false });
  if (!existsSync(join(dataDir, 'log'))) {
    throw new MillraceError('not_found', `there is no data in ${dataDir}, and no server runs on it`, {
      hint: 'start one with `npm start`, or name one with --data or --url',
    });
  }
  return withFolder(dataDir, work);
}

async function withFolder<T>(dataDir: string, work: (server: Server) => Promise<T>): Promise<T> {
  const { startMillrace } = await import('../main.ts');
  const folders = servedFolders(dataDir);
  const server = await startMillrace({
    dataDir,
    viewsDir: folders?.views,
    pipelinesDir: folders?.pipelines,
    port: 0,
    host: '127.0.0.1',
    token: '',
    sample: false,
    watch: false,
    quiet: true,
    announce: false,
  }).catch((error: unknown) => {
    throw busy(error);
  });
  const interrupted = (): void => {
    void server.stop().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  try {
    const progress = progressLine(process.stderr);
    const look = setInterval(() => {
      const build = buildFraction(server.views.list());
      if (build !== null) progress.show(build.text, build.fraction);
    }, LOOK_EVERY);
    try {
      await server.caughtUp();
    } finally {
      clearInterval(look);
      progress.end();
    }
    return await work({ client: new ApiClient({ url: server.url, token: null }), temporary: true });
  } finally {
    process.removeListener('SIGINT', interrupted);
    await server.stop();
  }
}

function busy(error: unknown): unknown {
  if (!(error instanceof MillraceError) || error.code !== 'data_folder_locked') return error;
  return new MillraceError(error.code, error.message, {
    hint: 'a server that is just starting answers in a moment: try again',
    cause: error,
  });
}

export async function dataFolder(option: string | undefined): Promise<string> {
  const named = option ?? process.env.MILLRACE_DATA;
  if (named !== undefined) return resolve(named);
  // slow to load, and seldom needed
  const { loadConfig, projectRoot } = await import('../config.ts');
  return loadConfig(join(projectRoot, 'pipelines'), process.cwd()).dataFolder;
}

/** The server of a data folder, when it answers. */
export async function runningServer(dataDir: string): Promise<ServerAddress | null> {
  const announced = readJson<{ pid: number; url: string; token: string | null }>(
    join(dataDir, 'server.json'),
  );
  if (announced === null) return null;
  try {
    process.kill(announced.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return null;
  }
  try {
    await fetch(`${announced.url}/healthz`);
  } catch {
    return null; // left behind by a process that was killed; its number belongs to another one now
  }
  return { url: announced.url, token: announced.token };
}

function servedFolders(dataDir: string): ServedFolders | null {
  const folders = readJson<ServedFolders>(join(dataDir, FOLDERS));
  return folders !== null && existsSync(folders.views) && existsSync(folders.pipelines) ? folders : null;
}

function readJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return null;
  }
}
