import { existsSync, statSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { MillraceError } from '../core/errors.ts';

/** Told the exit code of the command. */
export type Exit = (code: number) => void;

/** A command that needs data, with the options that all of them share. */
export function dataCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option(
      '--data <dir>',
      'data folder (default: $MILLRACE_DATA, else data.folder of pipelines/settings.yaml)',
    )
    .option('--url <url>', 'a running server (default: the one on the data folder)')
    .option('--json', 'machine-readable output');
}

export function wholeNumber(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n)) {
    throw new InvalidArgumentError('A whole number is expected.');
  }
  return n;
}

export function portNumber(text: string): number {
  const n = wholeNumber(text);
  if (n > 65_535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return n;
}

/** A folder that is named is meant: one that is not there is no empty one. */
export function folder(path: string): string {
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw new InvalidArgumentError('There is no such folder.');
  }
  return path;
}

/** JSON of a command line as it was written, so that no amount passes a float. */
export function jsonArgument(text: string, what: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (cause) {
    throw new MillraceError('request_invalid', `${what} is no JSON: ${(cause as Error).message}`, {
      hint: `put it in single quotes: '{"amount": "17.81"}'`,
      cause,
    });
  }
}
