import { Command, CommanderError } from 'commander';
import { BugError } from '../core/assert.ts';
import { errorText, MillraceError, MillraceErrors } from '../core/errors.ts';
import { ApiProblem } from './api-client.ts';
import { terminal } from './context.ts';
import type { Exit } from './options.ts';

/**
 * Every command, in the order of `--help`. Each is loaded when it is called: a call must not wait for what others need.
 */
const COMMANDS: Readonly<Record<string, () => Promise<(exit: Exit) => Command>>> = {
  start: async () => (await import('./start.ts')).startCommand,
  check: async () => (await import('./check.ts')).checkCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  functions: async () => (await import('./functions.ts')).functionsCommand,
  query: async () => (await import('./query.ts')).queryCommand,
  tail: async () => (await import('./tail.ts')).tailCommand,
  send: async () => (await import('./send.ts')).sendCommand,
  produce: async () => (await import('./produce.ts')).produceCommand,
  replay: async () => (await import('./replay.ts')).replayCommand,
  resume: async () => (await import('./replay.ts')).resumeCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  topology: async () => (await import('./topology.ts')).topologyCommand,
  log: async () => (await import('./log/command.ts')).logCommand,
  backup: async () => (await import('./backup.ts')).backupCommand,
  restore: async () => (await import('./backup.ts')).restoreCommand,
  test: async () => (await import('./test/command.ts')).testCommand,
  import: async () => (await import('./import/command.ts')).importCommand,
  export: async () => (await import('./export/command.ts')).exportCommand,
};

/** Runs one command line; returns the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.on('error', endOfReader);
  try {
    return await run(args);
  } catch (error) {
    return reportFailure(error);
  }
}

/** The named command, or all of them, as `--help` shows it. */
export async function commandLine(exit: Exit, name?: string): Promise<Command> {
  const program = new Command('millrace')
    .description('A log of events turned into live SQL views.')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options)');
  const one = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  for (const load of one === undefined ? Object.values(COMMANDS) : [one]) {
    const make = await load();
    program.addCommand(make(exit).exitOverride().copyInheritedSettings(program));
  }
  return program;
}

async function run(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = await commandLine(result => {
    code = result;
  }, args[0]);
  await program.parseAsync([...args], { from: 'user' });
  return code;
}

/** `millrace tail x | head`: nobody reads any more. */
function endOfReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof MillraceErrors) {
    for (const one of error.errors) terminal.error(errorText(one));
    return 1;
  }
  if (error instanceof MillraceError) {
    terminal.error(errorText(error));
    return 1;
  }
  if (error instanceof ApiProblem) {
    terminal.error(problemText(error));
    return 1;
  }
  if (isSystemError(error)) {
    terminal.error(`${error.message} [${error.code}]`);
    return 1;
  }
  const bug = error instanceof BugError ? 'a bug in Millrace' : 'an unexpected failure';
  terminal.error(`${bug}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}

/** The operating system refused: no such folder, no right, no space. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  return error instanceof Error && code !== undefined && syscall !== undefined && path !== undefined;
}

function problemText({ problem, message, code, hint }: ApiProblem): string {
  const errors = Array.isArray(problem.errors) ? (problem.errors as { text?: unknown }[]) : [];
  const texts = errors.flatMap(e => (typeof e.text === 'string' ? [e.text] : []));
  if (texts.length > 0) return texts.join('\n');
  return `${message} [${code}]${hint === undefined ? '' : `\n  hint: ${hint}`}`;
}
