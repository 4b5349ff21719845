import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MILLRACE = fileURLToPath(new URL('../../src/cli/millrace.mjs', import.meta.url));

/** `millrace start` over a data folder, as a process of its own. */
export class ServerProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals | null>;

  private constructor(child: ChildProcess, url: string, exited: Promise<number | NodeJS.Signals | null>) {
    this.#child = child;
    this.url = url;
    this.#exited = exited;
  }

  /** Resolves when it serves; rejects with what it printed when it ends before. */
  static async start(dataDir: string): Promise<ServerProcess> {
    const args = ['start', '--data', dataDir, '--no-sample', '--port', '0', '--no-watch', '--json'];
    const child = spawn(process.execPath, [MILLRACE, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    const exited = new Promise<number | NodeJS.Signals | null>(resolve =>
      child.once('exit', (code, signal) => resolve(signal ?? code)),
    );
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr.on('data', data => {
        printed += String(data);
      });
      child.stdout.on('data', data => {
        printed += String(data);
        const found = /"url":"([^"]+)"/.exec(printed);
        if (found?.[1] !== undefined) resolve(found[1]);
      });
      void exited.then(end => reject(new Error(`the server ended with ${end}:\n${printed}`)));
    });
    return new ServerProcess(child, url, exited);
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
