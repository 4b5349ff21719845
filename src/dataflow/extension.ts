import { fileURLToPath } from 'node:url';
import { MillraceError } from '../core/errors.ts';
import type { Upcaster } from '../decode/row-decoder.ts';
import type { FunctionEntry } from '../expr/functions.ts';
import { standardLibrary } from '../expr/library.ts';
import type { FunctionRegistry } from '../expr/registry.ts';

/**
 * What a module of `pipelines/` (or of the domain) may add to the dataflow. Each thread loads the modules itself, by
 * URL, since functions cannot cross threads.
 */
export interface Extension {
  readonly functions?: readonly FunctionEntry[];
  /** by topic: lifts records of an older schema version before decoding */
  readonly upcasters?: Readonly<Record<string, Upcaster>>;
}

export interface LoadedExtensions {
  readonly functions: FunctionRegistry;
  readonly upcasters: ReadonlyMap<string, Upcaster>;
}

/** Imports the modules; each exports `extension: Extension`. */
export async function loadExtensions(urls: readonly string[]): Promise<LoadedExtensions> {
  const upcasters = new Map<string, Upcaster>();
  let functions = standardLibrary;
  for (const url of urls) {
    const extension = await importedFrom<Extension>(url, 'extension');
    functions = functions.with(extension.functions ?? []);
    for (const [topic, upcast] of Object.entries(extension.upcasters ?? {})) upcasters.set(topic, upcast);
  }
  return { functions, upcasters };
}

/** What a module of the project exports by a name. Throws `config_invalid` when it cannot be loaded or lacks it. */
export async function importedFrom<T>(url: string, name: string): Promise<T> {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(url);
  } catch (cause) {
    throw new MillraceError('config_invalid', `${path} cannot be loaded: ${reasonOf(cause)}`, { cause });
  }
  if (module[name] === undefined) {
    throw new MillraceError('config_invalid', `${path} exports no "${name}"`);
  }
  return module[name] as T;
}

/** Of text that does not parse, Node tells the place in the first lines of the stack only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error instanceof SyntaxError ? error.stack?.split('\n\n', 1)[0] : undefined;
  return place === undefined || place.includes(error.message) ? error.message : `${error.message}\n${place}`;
}
