import { Command, CommanderError } from 'commander';
import { BugError } from '../core/assert.ts';
import { errorText, MillraceError, MillraceErrors } from '../core/errors.ts';
import { ApiProblem } from './api-client.ts';
import { checkCommand } from './check.ts';
import { terminal } from './context.ts';
import { explainCommand } from './explain.ts';
import { produceCommand } from './produce.ts';
import { queryCommand } from './query.ts';
import { replayCommand } from './replay.ts';
import { sendCommand } from './send.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { tailCommand } from './tail.ts';
import { testCommand } from './test/command.ts';

/** Runs one command line; returns the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('millrace')
    .description('A log of events turned into live SQL views.')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options)');
  const commands = [
    startCommand,
    checkCommand,
    explainCommand,
    queryCommand,
    tailCommand,
    sendCommand,
    produceCommand,
    replayCommand,
    statusCommand,
    testCommand,
  ];
  for (const make of commands) {
    const command = make(result => {
      code = result;
    });
    program.addCommand(command.exitOverride());
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return reportFailure(error);
  }
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
  const bug = error instanceof BugError ? 'a bug in Millrace' : 'an unexpected failure';
  terminal.error(`${bug}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}

function problemText({ problem, message }: ApiProblem): string {
  const errors = Array.isArray(problem.errors) ? (problem.errors as { text?: unknown }[]) : [];
  const texts = errors.flatMap(e => (typeof e.text === 'string' ? [e.text] : []));
  const lines = texts.length > 0 ? texts : [`${message} [${String(problem.code ?? problem.status)}]`];
  if (texts.length === 0 && typeof problem.hint === 'string') lines.push(`  hint: ${problem.hint}`);
  return lines.join('\n');
}
