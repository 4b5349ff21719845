import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** A server in a process of its own, and what it is asked by message. */

export interface Usage {
  /** CPU seconds of the whole process since the last call */
  readonly cpu: number;
  /** of its main thread */
  readonly mainCpu: number;
  /** share of the time since the last call in which the main thread was busy */
  readonly busy: number;
}

export interface Served {
  readonly port: number;
  ask(what: string, argument?: unknown): Promise<unknown>;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

export async function serve(file: string, argument: unknown): Promise<Served> {
  const child = fork(join(import.meta.dirname, file), [JSON.stringify(argument)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const { port } = (await answer(child, 0)) as { port: number };
  let asked = 0;
  const ask = (what: string, value?: unknown): Promise<unknown> => {
    const id = ++asked;
    const answered = answer(child, id);
    child.send({ id, what, value });
    return answered;
  };
  return {
    port,
    ask,
    usage: () => ask('usage') as Promise<Usage>,
    async stop() {
      const ended = new Promise(resolve => child.once('exit', resolve));
      child.send({ id: ++asked, what: 'stop' });
      await ended;
    },
  };
}

/** The state of a view of a Millrace; undefined: there is none of this name. */
export async function stateOf(server: Served, view: string): Promise<string | undefined> {
  const list = (await server.ask('states')) as [name: string, state: string][];
  return list.find(([name]) => name === view)?.[1];
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 50));
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

function answer(child: ChildProcess, id: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the server ended'));
    const heard = (message: unknown): void => {
      const { id: of, value, error } = message as Answer;
      if (of !== id) return;
      child.off('message', heard).off('exit', ended);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    };
    child.on('message', heard).once('exit', ended);
  });
}

/** The side of the server: says that it serves, then does as it is asked. */
export function answering(
  started: { readonly port: number },
  does: Readonly<Record<string, (value: unknown) => unknown>>,
  stop: () => Promise<unknown>,
): void {
  let cpu = process.cpuUsage();
  let main = process.threadCpuUsage();
  let busy = performance.eventLoopUtilization();
  let since = performance.now();
  const usage = (): Usage & { seconds: number } => {
    const used = process.cpuUsage(cpu);
    const ofMain = process.threadCpuUsage(main);
    const { utilization } = performance.eventLoopUtilization(busy);
    const seconds = (performance.now() - since) / 1000;
    cpu = process.cpuUsage();
    main = process.threadCpuUsage();
    busy = performance.eventLoopUtilization();
    since = performance.now();
    return {
      cpu: (used.user + used.system) / 1e6,
      mainCpu: (ofMain.user + ofMain.system) / 1e6,
      busy: utilization,
      seconds,
    };
  };
  // whoever started it is gone
  process.on('disconnect', () => process.exit(1));
  process.on('message', async (message: unknown) => {
    const { id, what, value } = message as { id: number; what: string; value: unknown };
    if (what === 'stop') {
      await stop();
      process.exit(0);
    }
    try {
      const result = what === 'usage' ? usage() : await does[what]?.(value);
      process.send?.({ id, value: result });
    } catch (error) {
      process.send?.({ id, error: String(error) });
    }
  });
  process.send?.({ id: 0, value: started });
}
