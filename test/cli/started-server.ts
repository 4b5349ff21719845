import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { launch, type Ran, type RunOptions } from './command-line.ts';

export interface StartedServer {
  readonly child: ChildProcess;
  readonly url: string;
  /** what was printed until it served */
  readonly told: readonly string[];
  /** all that standard error has said */
  heard(): string;
  stop(signal?: NodeJS.Signals): Promise<Ran>;
}

/** `millrace start` with these flags; resolves when it says that it serves. */
export async function startServer(
  flags: readonly string[],
  options: RunOptions & { readonly lines?: number } = {},
): Promise<StartedServer> {
  const child = launch(['start', '--port', '0', ...flags], options);
  const told: string[] = [];
  let err = '';
  child.stderr?.on('data', chunk => {
    err += String(chunk);
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('close', () => reject(new Error(`the server ended:\n${err}`)));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', line => {
      told.push(line);
      const found = /https?:\/\/127\.0\.0\.1:\d+/.exec(told[0] as string);
      if (found !== null && told.length === (options.lines ?? 3)) resolve(found[0]);
    });
  });
  return {
    child,
    url,
    told,
    heard: () => err,
    stop: (signal = 'SIGTERM') =>
      new Promise(resolve => {
        child.once('close', (code, ended) => resolve({ code, signal: ended, out: told.join('\n'), err }));
        child.kill(signal);
      }),
  };
}
