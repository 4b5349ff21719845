import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, type ServerAddress } from './api-client.ts';

/** Options that every command has. */
export interface CommonOptions {
  readonly data: string;
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

/**
 * Runs `work` against the server that `--url` names, or the one that runs on the data folder, or, when none runs, one
 * that is opened on the folder for this call alone (no sample, no watching of files, an ephemeral loopback port).
 */
export async function withServer<T>(
  options: CommonOptions,
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  if (options.url !== undefined) {
    return work(
      new ApiClient({ url: options.url.replace(/\/$/, ''), token: process.env.MILLRACE_TOKEN ?? null }),
    );
  }
  const running = runningServer(options.data);
  if (running !== null) return work(new ApiClient(running));
  const { startMillrace } = await import('../main.ts');
  const server = await startMillrace({
    dataDir: options.data,
    port: 0,
    host: '127.0.0.1',
    sample: false,
    watch: false,
    quiet: true,
    announce: false,
  });
  try {
    await server.caughtUp();
    return await work(new ApiClient({ url: server.url, token: null }));
  } finally {
    await server.stop();
  }
}

/** The server of a data folder, when its process is alive. */
export function runningServer(dataDir: string): ServerAddress | null {
  try {
    const { pid, url, token } = JSON.parse(readFileSync(join(dataDir, 'server.json'), 'utf8')) as {
      pid: number;
      url: string;
      token: string | null;
    };
    process.kill(pid, 0);
    return { url, token };
  } catch {
    return null;
  }
}
