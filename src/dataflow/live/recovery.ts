import type { SourceSpec } from '../../plan/plan.ts';
import type { Engine, StateParts } from '../dataflow.ts';
import type { LedgerState } from '../ledger.ts';
import type { LiveCatalog, LiveVersion } from './epoch-output.ts';
import { attemptEngine, type Live, type LiveLoopPorts, openLive, spread } from './live-view.ts';

/** What the journal and the view files give back, ready to read the log on from `position`. */
export interface RecoveredViews {
  readonly engine: Engine;
  readonly position: number;
  readonly live: readonly Live[];
  readonly sources: readonly SourceSpec[];
  readonly ledger: LedgerState;
  readonly parts: StateParts;
  /** what the journal holds of the versions; null: nothing */
  readonly catalog: LiveCatalog | null;
  /** everything that was committed lives on */
  readonly whole: boolean;
}

/**
 * Takes up the last commit: row changes that are not yet in the view files go there, the engine gets its state.
 * A version whose file is gone is left out. One whose state cannot be used (of another format, a function is gone), or
 * that reads such a one, keeps its rows and stands still until it is rebuilt.
 */
export function recoverViews(ports: LiveLoopPorts): RecoveredViews {
  const recovered = ports.journal.recover(ports.log.end());
  if (recovered === null) {
    const position = ports.log.end();
    const engine = ports.makeEngine({ sources: [], views: [] });
    engine.restore(new Map(), position);
    return {
      engine,
      position,
      live: [],
      sources: [],
      ledger: [],
      parts: new Map(),
      catalog: null,
      whole: false,
    };
  }
  const { catalog, position, unfolded } = recovered;
  const parts = byName(catalog.versions, recovered.states);
  const neededFrom = byName(catalog.versions, recovered.neededFrom);
  const { live, lost } = openVersions(ports, catalog);
  const failed = new Map(lost);
  let engine: Engine | null = null;
  while (engine === null) {
    spread(failed, catalog.versions, name => `it reads ${name}, which cannot go on`);
    engine = attemptEngine(failed, () => {
      const running = live.filter(v => v.fault === undefined && !failed.has(v.plan.name));
      const made = ports.makeEngine({ sources: catalog.sources, views: running.map(v => v.plan) });
      made.restore(parts, position);
      made.track(view => neededFrom.get(view) ?? 0);
      return made;
    });
  }
  for (const view of live) {
    const changes = unfolded.get(view.version) ?? [];
    if (changes.length > 0) view.file.fold(changes, view.fault?.position ?? position);
  }
  for (const [name, why] of failed) ports.warn(`view ${name} is to be rebuilt: ${why}`);
  return {
    engine,
    position,
    live: live.map(view => {
      const message = view.fault === undefined ? failed.get(view.plan.name) : undefined;
      return message === undefined ? view : { ...view, fault: { message, position, rebuild: true } };
    }),
    sources: catalog.sources,
    ledger: recovered.notes.ledger.filter(account => !lost.has(account.view)),
    parts,
    catalog,
    whole: failed.size === 0,
  };
}

/** What is known by version, by the names of their views. */
export function byName<T>(versions: readonly LiveVersion[], values: ReadonlyMap<string, T>): Map<string, T> {
  const named = new Map<string, T>();
  for (const { plan, version } of versions) {
    const value = values.get(version);
    if (value !== undefined) named.set(plan.name, value);
  }
  return named;
}

/** The versions with their files; `lost` are those without, by name with the reason. */
function openVersions(
  ports: LiveLoopPorts,
  catalog: LiveCatalog,
): { readonly live: Live[]; readonly lost: ReadonlyMap<string, string> } {
  const live: Live[] = [];
  const lost = new Map<string, string>();
  const plan = { sources: catalog.sources, views: catalog.versions.map(v => v.plan) };
  for (const version of catalog.versions) {
    try {
      live.push(openFound(ports, version, plan));
    } catch (error) {
      lost.set(version.plan.name, error instanceof Error ? error.message : String(error));
    }
  }
  return { live, lost };
}

function openFound(ports: LiveLoopPorts, version: LiveVersion, plan: Parameters<typeof openLive>[2]): Live {
  const live = openLive(ports, version, plan);
  if (live.file.stamp() !== null) return live;
  void live.file.close();
  throw new Error('its file is gone');
}
