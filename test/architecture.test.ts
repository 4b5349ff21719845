import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * The layers of the design as a table that a machine holds. `files` are exceptions narrower than a folder; type-only
 * imports listed under `types` carry plain data contracts and add no code path.
 */
interface Layer {
  readonly may: readonly string[] | 'anything';
  /** folders or files of which only types may be imported */
  readonly types?: readonly string[];
}

const LAYERS: Readonly<Record<string, Layer>> = {
  core: { may: [] },
  kv: { may: ['core'] },
  expr: { may: ['core'] },
  log: { may: ['core', 'kv'] },
  decode: { may: ['core'], types: ['plan/plan.ts', 'expr'] },
  sql: { may: ['core', 'expr'], types: ['plan/plan.ts'] },
  plan: { may: ['core', 'expr', 'sql'] },
  operators: { may: ['core', 'expr'], types: ['plan/plan.ts', 'state'] },
  state: { may: ['core', 'kv'], types: ['expr'] },
  'view-store': { may: ['core', 'kv'] },
  dataflow: { may: ['core', 'expr', 'kv', 'log', 'decode', 'plan', 'operators', 'state', 'view-store'] },
  deploy: { may: ['core', 'sql', 'plan', 'dataflow', 'view-store', 'log'], types: ['expr'] },
  kafka: { may: ['core'], types: ['log/event-log.ts', 'commands'] },
  commands: { may: ['core'], types: ['log/event-log.ts'] },
  invoice: { may: ['core', 'commands'], types: ['log/event-log.ts'] },
  sinks: { may: ['core'], types: ['deploy/view-access.ts', 'deploy/missed-changes.ts'] },
  http: {
    may: ['core', 'commands', 'invoice', 'view-store', 'deploy'],
    types: ['log/event-log.ts', 'plan/plan.ts', 'sinks/sink-runner.ts'],
  },
  cli: { may: 'anything' },
  '.': { may: 'anything' },
};

/** Each vendor library lives in one place (a folder of src, or a file). `node:` modules are free except in core. */
const VENDORS: Readonly<Record<string, readonly string[]>> = {
  lmdb: ['kv', 'log/embedded'],
  kafkajs: ['kafka'],
  pg: ['sinks'],
  'pg-copy-streams': ['sinks'],
  fastify: ['http'],
  '@fastify/websocket': ['http'],
  ws: ['http'],
  'prom-client': ['http'],
  yaml: ['config.ts'],
  zod: ['config.ts'],
  commander: ['cli'],
  'node-sql-parser': ['cli/export'],
  pino: ['main.ts', 'cli'],
  nodemailer: ['../pipelines'],
};

const MAX_LINES = 500;
const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

interface Import {
  readonly from: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'node_modules' ? [] : sources(path);
    return /\.(ts|tsx|mjs)$/.test(name) ? [path] : [];
  });
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map(m => ({
    from: file,
    target: m[2] ?? m[3] ?? '',
    typeOnly: m[1] !== undefined,
  }));
}

const layerOf = (path: string): string => {
  const parts = relative(src, path).split('/');
  return parts.length === 1 ? '.' : (parts[0] ?? '.');
};

const listed = (path: string, places: readonly string[]): boolean =>
  places.some(place => path === place || path.startsWith(`${place}/`));

/** What is wrong with one import, or null. `file` is an absolute path, whether or not it exists. */
function violation(imported: Import): string | null {
  const from = relative(src, imported.from);
  const where = `src/${from} imports ${imported.target}`;
  if (imported.target.startsWith('node:')) {
    return layerOf(imported.from) === 'core' ? `${where}: core does no I/O` : null;
  }
  if (!imported.target.startsWith('.')) {
    const name = imported.target
      .split('/')
      .slice(0, imported.target.startsWith('@') ? 2 : 1)
      .join('/');
    const places = VENDORS[name];
    if (places === undefined) return `${where}: not in the vendor table`;
    return listed(from, places) ? null : `${where}: only ${places.join(', ')} may`;
  }
  const target = resolve(dirname(imported.from), imported.target);
  if (!target.startsWith(`${src}/`)) return `${where}: leaves src`;
  const own = layerOf(imported.from);
  const other = layerOf(target);
  if (own === other) return null;
  const layer = LAYERS[own];
  if (layer === undefined) return `${where}: folder ${own} is not in the layer table`;
  if (layer.may === 'anything' || layer.may.includes(other)) return null;
  if (imported.typeOnly && listed(relative(src, target), layer.types ?? [])) return null;
  return `${where}: ${own}/ may import only ${layer.may.join(', ') || 'nothing'}`;
}

const files = sources(src);
const texts = new Map(files.map(f => [f, readFileSync(f, 'utf8')]));
const allImports = files.flatMap(f => importsOf(f, texts.get(f) ?? ''));

describe('the layers', () => {
  it('are kept by every import', () => {
    expect(allImports.map(violation).filter(v => v !== null)).toEqual([]);
  });

  it('refuse an import that goes upward', () => {
    const planted = { from: join(src, 'core/planted.ts'), target: '../plan/plan.ts', typeOnly: true };
    expect(violation(planted)).toContain('core/ may import only nothing');
  });

  it('refuse a value where only a type may cross', () => {
    const planted = {
      from: join(src, 'commands/planted.ts'),
      target: '../log/event-log.ts',
      typeOnly: false,
    };
    expect(violation(planted)).toContain('commands/ may import only core');
  });

  it('refuse a vendor library outside its folder', () => {
    const planted = { from: join(src, 'sql/planted.ts'), target: 'node-sql-parser', typeOnly: false };
    expect(violation(planted)).toContain('only cli/export may');
  });

  it('have no folder that the table does not know', () => {
    const folders = new Set(files.map(layerOf));
    expect([...folders].filter(f => LAYERS[f] === undefined)).toEqual([]);
  });
});

describe('the files', () => {
  it(`have at most ${MAX_LINES} lines each`, () => {
    const long = files.filter(f => (texts.get(f) ?? '').split('\n').length - 1 > MAX_LINES);
    expect(long.map(f => relative(root, f))).toEqual([]);
  });

  it('are named in kebab-case after a concept', () => {
    const bad = files.filter(f => {
      const name = f.slice(f.lastIndexOf('/') + 1);
      return (
        !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.(ts|tsx|mjs)$/.test(name) ||
        /^(utils?|helpers?|types|common|misc)\./.test(name)
      );
    });
    expect(bad.map(f => relative(root, f))).toEqual([]);
  });

  it('are no barrels: only src/index.ts exports what others define', () => {
    const barrels = files.filter(
      f =>
        f !== join(src, 'index.ts') &&
        /(^|\n)export\s+(type\s+)?(\*|\{[^}]*\})\s+from\s/.test(texts.get(f) ?? ''),
    );
    expect(barrels.map(f => relative(root, f))).toEqual([]);
  });

  it('import one another without cycles', () => {
    const graph = new Map<string, string[]>();
    for (const i of allImports) {
      if (!i.target.startsWith('.') || i.typeOnly) continue;
      const list = graph.get(i.from) ?? [];
      list.push(resolve(dirname(i.from), i.target));
      graph.set(i.from, list);
    }
    expect(findCycle(graph)?.map(f => relative(src, f))).toBeUndefined();
  });
});

describe('pipelines/', () => {
  it('import only the public API, as code of a user would', () => {
    const own = join(root, 'pipelines');
    const bad = sources(own)
      .flatMap(f => importsOf(f, readFileSync(f, 'utf8')))
      .filter(i => i.target.startsWith('.'))
      .filter(i => {
        const target = resolve(dirname(i.from), i.target);
        return !target.startsWith(`${own}/`) && target !== join(src, 'index.ts');
      });
    expect(bad.map(i => `${relative(root, i.from)} imports ${i.target}`)).toEqual([]);
  });
});

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    if (done.has(node)) return undefined;
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
