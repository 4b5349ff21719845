import { Command, InvalidArgumentError } from 'commander';

/** Told the exit code of the command. */
export type Exit = (code: number) => void;

/** A command with the options that all commands share. */
export function dataCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--data <dir>', 'data folder', process.env.MILLRACE_DATA ?? 'data')
    .option('--url <url>', 'a running server (default: the one on the data folder)')
    .option('--json', 'machine-readable output');
}

export function wholeNumber(text: string): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 0) throw new InvalidArgumentError('a whole number is expected');
  return n;
}
