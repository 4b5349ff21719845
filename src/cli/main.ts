import { Command, CommanderError } from 'commander';
import { BugError } from '../core/assert.ts';
import { errorText, MillraceError, MillraceErrors } from '../core/errors.ts';
import { ApiProblem } from './api-client.ts';
import { backupCommand, restoreCommand } from './backup.ts';
import { checkCommand } from './check.ts';
import { terminal } from './context.ts';
import { explainCommand } from './explain.ts';
import { exportCommand } from './export/command.ts';
import { functionsCommand } from './functions.ts';
import { importCommand } from './import/command.ts';
import { logCommand } from './log/command.ts';
import type { Exit } from './options.ts';
import { produceCommand } from './produce.ts';
import { queryCommand } from './query.ts';
import { replayCommand, resumeCommand } from './replay.ts';
import { sendCommand } from './send.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { tailCommand } from './tail.ts';
import { testCommand } from './test/command.ts';
import { topologyCommand } from './topology.ts';

/** Runs one command line; returns the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.on('error', endOfReader);
  try {
    return await run(args);
  } catch (error) {
    return reportFailure(error);
  }
}

/** Every command as `--help` shows it. */
export function commandLine(exit: Exit): Command {
  const program = new Command('millrace')
    .description('A log of events turned into live SQL views.')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options)');
  const commands = [
    startCommand,
    checkCommand,
    explainCommand,
    functionsCommand,
    queryCommand,
    tailCommand,
    sendCommand,
    produceCommand,
    replayCommand,
    resumeCommand,
    statusCommand,
    topologyCommand,
    logCommand,
    backupCommand,
    restoreCommand,
    testCommand,
    importCommand,
    exportCommand,
  ];
  for (const make of commands) program.addCommand(make(exit).exitOverride().copyInheritedSettings(program));
  return program;
}

async function run(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = commandLine(result => {
    code = result;
  });
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
