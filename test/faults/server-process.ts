import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MILLRACE = fileURLToPath(new URL('../../src/cli/millrace.mjs', import.meta.url));

type Exit = Promise<number | NodeJS.Signals | null>;

/** `millrace start` over a data folder, as a process of its own. */
export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #exited: Exit;
  readonly #output: { readonly text: string };

  private constructor(
    child: ChildProcess,
    { url, exited, output }: Pick<ServerProcess, 'url'> & { exited: Exit; output: { readonly text: string } },
  ) {
    this.#child = child;
    this.url = url;
    this.#exited = exited;
    this.#output = output;
  }

  /** what it has printed so far */
  get printed(): string {
    return this.#output.text;
  }

  /** Resolves when it serves; rejects with what it printed when it ends before. */
  static async start(
    dataDir: string,
    {
      views,
      pipelines,
      env,
    }: { readonly views?: string; readonly pipelines?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<ServerProcess> {
    const args = ['start', '--data', dataDir, '--no-sample', '--port', '0', '--json'];
    if (views === undefined) args.push('--no-watch');
    else args.push('--views', views);
    if (pipelines !== undefined) args.push('--pipelines', pipelines);
    const child = spawn(process.execPath, [MILLRACE, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const output = { text: '' };
    const exited = new Promise<number | NodeJS.Signals | null>(resolve =>
      child.once('exit', (code, signal) => resolve(signal ?? code)),
    );
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.on('data', data => {
        output.text += String(data);
      });
      child.stdout.on('data', data => {
        output.text += String(data);
        const found = /"url":"([^"]+)"/.exec(output.text);
        if (found?.[1] !== undefined) resolve(found[1]);
      });
      void exited.then(end => reject(new Error(`the server ended with ${end}:\n${output.text}`)));
    });
    return new ServerProcess(child, { url, exited, output });
  }

  /** kill -9 */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** As Ctrl-C does; resolves with the exit code. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    this.#child.kill('SIGINT');
    return this.#exited;
  }
}
