import { Command } from 'commander';
import type { Exit } from '../options.ts';
import { showCommand } from './show.ts';
import { compactCommand, trimCommand } from './upkeep.ts';
import { verifyCommand } from './verify.ts';

/** `millrace log ...`: what the log keeps, and what is taken from it. */
export function logCommand(exit: Exit): Command {
  const log = new Command('log').description('what the log keeps: show, verify, trim, compact');
  for (const make of [showCommand, verifyCommand, trimCommand, compactCommand]) {
    log.addCommand(
      make(exit).exitOverride().showSuggestionAfterError().showHelpAfterError('(add --help for the options)'),
    );
  }
  return log;
}
