import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { loadConfig, projectRoot } from '../config.ts';
import { MillraceError } from '../core/errors.ts';
import { loadExtensions } from '../dataflow/extension.ts';
import type { FunctionEntry } from '../expr/functions.ts';
import type { FunctionRegistry } from '../expr/registry.ts';
import { closest } from '../sql/suggest.ts';
import { terminal } from './context.ts';
import { aliasesOf, functionsPage, signaturesOf } from './functions-page.ts';
import { type Exit, folder } from './options.ts';

interface FunctionsOptions {
  readonly pipelines?: string;
  readonly markdown?: boolean;
  readonly json?: boolean;
}

export function functionsCommand(exit: Exit): Command {
  return new Command('functions')
    .description('lists the functions of SQL, those of pipelines/ among them, or shows one')
    .argument('[name]', 'function')
    .option('--pipelines <dir>', 'folder of the YAML files and handlers', folder)
    .option('--markdown', 'the page docs/functions.md')
    .option('--json', 'machine-readable output')
    .action(async (name: string | undefined, options: FunctionsOptions) => {
      const functions = await allFunctions(options.pipelines);
      const entries =
        name === undefined
          ? functions.names().flatMap(n => functions.find(n) ?? [])
          : [named(functions, name)];
      if (options.markdown) terminal.line(functionsPage(entries));
      else if (options.json) terminal.line(JSON.stringify(entries.map(entryJson)));
      else if (name === undefined)
        for (const entry of entries) terminal.line(`${entry.name.padEnd(24)} ${entry.description}`);
      else for (const entry of entries) terminal.line(entryText(entry));
      exit(0);
    });
}

async function allFunctions(pipelines: string | undefined): Promise<FunctionRegistry> {
  const dir = resolve(pipelines ?? join(projectRoot, 'pipelines'));
  return (await loadExtensions(loadConfig(dir, process.cwd()).extensions)).functions;
}

function named(functions: FunctionRegistry, name: string): FunctionEntry {
  const found = functions.find(name);
  if (found !== undefined) return found;
  const names = functions.names().flatMap(n => {
    const entry = functions.find(n);
    return [n, ...(entry === undefined ? [] : aliasesOf(entry))];
  });
  const near = closest(name, names);
  throw new MillraceError('unknown_function', `there is no function "${name}"`, {
    hint: near === null ? undefined : `did you mean ${near}?`,
  });
}

function entryText(entry: FunctionEntry): string {
  const aliases = aliasesOf(entry);
  return [
    `${entry.name} (${entry.kind} function, ${entry.category})${aliases.length === 0 ? '' : `; also ${aliases.join(', ')}`}`,
    entry.description,
    ...signaturesOf(entry).map(s => `  ${s}`),
  ].join('\n');
}

function entryJson(entry: FunctionEntry): Record<string, unknown> {
  const { kind, name, category, description } = entry;
  return { name, kind, category, description, aliases: aliasesOf(entry), signatures: signaturesOf(entry) };
}
