import { createHash } from 'node:crypto';
import type { FunctionRegistry } from '../expr/registry.ts';
import type { PlanNode, SinkSpec } from './plan.ts';

/** Raised when the meaning of plan nodes changes, so that every view is rebuilt. */
const PLAN_VERSION = 1;

export interface FingerprintParts {
  readonly root: PlanNode;
  readonly hidden: readonly number[];
  readonly sink: SinkSpec | null;
  readonly functions: FunctionRegistry;
  readonly zone: string;
  /** fingerprints of the views that it reads, by name */
  readonly upstream: ReadonlyMap<string, string>;
}

/**
 * Hash of everything that decides a view's rows: the plan with its sources, the plans below it, versions of the functions
 * and the zone. Spelling and comments are not in the plan; names of columns count, since readers see them.
 */
export function fingerprint(parts: FingerprintParts): string {
  const functions = new Set<string>();
  const hash = createHash('sha256');
  const text = JSON.stringify(
    {
      version: PLAN_VERSION,
      zone: parts.zone,
      root: parts.root,
      hidden: parts.hidden,
      sink: parts.sink,
    },
    function (this: { readonly node?: unknown }, key: string, value: unknown) {
      if (key === 'fn' && typeof value === 'string') functions.add(value);
      // a source's description decides nothing, nor do ids that only name state
      if (key === 'description' || key === 'id') return undefined;
      // names inside expressions are for readers: positions decide
      if (key === 'name' && EXPRESSION_NAMES.has(String(this.node))) return undefined;
      if (key === 'view' && typeof value === 'string') return `${parts.upstream.get(value) ?? value}`;
      return plain(value);
    },
  );
  hash.update(text);
  for (const name of [...functions].sort()) {
    hash.update(`\n${name}@${parts.functions.find(name)?.version ?? 1}`);
  }
  return hash.digest('hex').slice(0, 32);
}

const EXPRESSION_NAMES: ReadonlySet<string> = new Set(['column', 'field', 'parameter']);

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return ['map', ...value];
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('base64')];
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return Object.is(value, -0) ? '-0' : value;
}
