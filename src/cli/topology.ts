import type { Command } from 'commander';
import type { Topology, TopologyEdge, TopologyNode } from '../topology.ts';
import { type CommonOptions, terminal, withServer } from './context.ts';
import { dataCommand, type Exit } from './options.ts';

export function topologyCommand(exit: Exit): Command {
  return dataCommand(
    'topology',
    'draws who reads and writes what: topics, handlers, views, reactions, sinks, outputs',
  ).action(async (options: CommonOptions) => {
    await withServer(options, async ({ client }) => {
      if (options.json) terminal.line(await client.text('GET', '/topology'));
      else terminal.line(topologyText(await client.json<Topology>('GET', '/topology')));
    });
    exit(0);
  });
}

interface Line {
  readonly tree: string;
  readonly lag: string;
  readonly rate: string;
  readonly state: string;
}

/** states that need no word: all is well */
const WELL: ReadonlySet<string> = new Set(['live', 'running', 'writing']);

/** One line for every edge under the node that it comes from; what stands above already is named once more, not drawn. */
export function topologyText({ nodes, edges }: Topology): string {
  const byId = new Map(nodes.map(n => [n.id, n]));
  const out = Map.groupBy(edges, e => e.from);
  const fed = new Set(edges.map(e => e.to));
  const drawn = new Set<string>();
  const lines: Line[] = [];

  const draw = (node: TopologyNode, edge: TopologyEdge | null, before: string, last: boolean): void => {
    const known = drawn.has(node.id);
    drawn.add(node.id);
    const below = known ? [] : (out.get(node.id) ?? []);
    const branch = edge === null ? '' : last ? '└─ ' : '├─ ';
    const again = known && (out.get(node.id)?.length ?? 0) > 0 ? ' (above)' : '';
    lines.push({
      tree: `${before}${branch}${node.kind === 'kafka' ? 'kafka' : node.id}${again}`,
      lag: edge?.lag == null ? '' : String(edge.lag),
      rate: edge?.rate == null ? '' : `${edge.rate}/s`,
      state: node.state === null || WELL.has(node.state) ? '' : node.state,
    });
    const under = edge === null ? '' : before + (last ? '   ' : '│  ');
    for (const [i, next] of below.entries()) {
      const to = byId.get(next.to);
      if (to !== undefined) draw(to, next, under, i === below.length - 1);
    }
  };
  for (const node of nodes) if (!fed.has(node.id)) draw(node, null, '', true);
  // circles are fed by themselves alone
  for (const node of nodes) if (!drawn.has(node.id)) draw(node, null, '', true);
  return aligned([{ tree: '', lag: 'behind', rate: 'a second', state: '' }, ...lines]);
}

function aligned(lines: readonly Line[]): string {
  const width = (of: (line: Line) => string) => Math.max(...lines.map(l => of(l).length));
  const [tree, lag, rate] = [width(l => l.tree), width(l => l.lag), width(l => l.rate)];
  return lines
    .map(l =>
      `${l.tree.padEnd(tree)}  ${l.lag.padStart(lag)}  ${l.rate.padStart(rate)}  ${l.state}`.trimEnd(),
    )
    .join('\n');
}
