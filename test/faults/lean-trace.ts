import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export type SentCommand = readonly [id: string, entity: string, type: string, data: unknown];

/** What the processes over one folder said that they sent, and what was acknowledged. */
export class Trace {
  readonly #dir: string;
  readonly commands = new Map<string, SentCommand>();
  /** status and version in the first answer, by command id */
  readonly answered = new Map<string, string>();
  /** ids of records by topic, with whether they were acknowledged */
  readonly records = new Map<string, Map<string, boolean>>();
  readonly reactedTo = new Set<number>();
  builds = 0;
  starts = 0;
  readonly troubles: string[] = [];

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Takes up what was said since the last call. A last line that a kill cut short counts as not said. */
  read(): void {
    const path = join(this.#dir, 'trace');
    if (!existsSync(path)) return;
    const text = readFileSync(path, 'utf8');
    rmSync(path);
    for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) this.#line(line);
  }

  /** commands without an answer, to be sent again */
  get unanswered(): SentCommand[] {
    return [...this.commands.values()].filter(([id]) => !this.answered.has(id));
  }

  said(line: string): void {
    this.#line(line);
  }

  #line(line: string): void {
    const [kind, a = '', b = ''] = line.split(' ');
    switch (kind) {
      case 's': {
        const command = JSON.parse(line.slice(2)) as SentCommand;
        this.commands.set(command[0], command);
        break;
      }
      case 'a': {
        const before = this.answered.get(a);
        if (before !== undefined && before !== b) throw new Error(`${a} was answered ${before}, then ${b}`);
        this.answered.set(a, b);
        break;
      }
      case 'p':
      case 'q': {
        const topic = this.records.get(a) ?? new Map<string, boolean>();
        this.records.set(a, topic.set(b, kind === 'q'));
        break;
      }
      case 'r':
        this.reactedTo.add(Number(a));
        break;
      case 'b':
        this.builds++;
        break;
      case 'ready':
        this.starts++;
        break;
      case '!':
        this.troubles.push(line.slice(2));
        break;
    }
  }
}
