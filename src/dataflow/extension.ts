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
    const { extension } = (await import(url)) as { extension: Extension };
    functions = functions.with(extension.functions ?? []);
    for (const [topic, upcast] of Object.entries(extension.upcasters ?? {})) upcasters.set(topic, upcast);
  }
  return { functions, upcasters };
}
