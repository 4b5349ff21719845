import { unreachable } from '../core/assert.ts';
import { typeText } from '../core/sql-type.ts';
import { exprText } from '../expr/show.ts';
import { frameText, type WindowFunction } from '../expr/window-function.ts';
import type {
  AggregateCall,
  FormatSpec,
  JoinNode,
  OverNode,
  PlanNode,
  RankNode,
  SinkSpec,
  ViewPlan,
  WindowSpec,
} from './plan.ts';
import {
  type Demand,
  demandBelow,
  inputsOf,
  propertiesOf,
  rootDemand,
  type StateVerdict,
  viewState,
} from './properties.ts';

/**
 * The plan of a view as text: one node a line, inputs indented below it, each with its four properties. Golden tests hold
 * it, so it names everything that decides rows and nothing that does not. `views` are all of the deployment: what reads
 * the view decides what is asked of it.
 */
export function explain(view: ViewPlan, views: readonly ViewPlan[] = []): string {
  const hidden = new Set(view.hidden ?? []);
  const columns = view.root.schema.columns.map((c, i) => {
    const marks = [
      ...(view.root.schema.key.includes(i) ? ['key'] : []),
      ...(hidden.has(i) ? ['hidden'] : []),
    ];
    return `  ${[c.name, typeText(c.type), ...marks].join(' ')}`;
  });
  const lines = [
    `${view.statement.toUpperCase()} ${view.name}: ${view.kind}`,
    ...columns,
    ...(view.sink ? [`  writes ${sinkText(view.sink)}`] : []),
    ...(viewState(view.root).verdict === 'unbounded'
      ? ['  keeps rows of streams for ever: its state grows with the log']
      : []),
    ...(hasProduct(view.root)
      ? ['  joins every row with every row: its work and state grow with the product of both sides']
      : []),
    'plan',
  ];
  explainNode(view.root, rootDemand(view, views), 1, lines);
  return `${lines.join('\n')}\n`;
}

/** Whether rows meet all rows of another side, of which there are many. */
function hasProduct(node: PlanNode): boolean {
  if (inputsOf(node).some(hasProduct)) return true;
  if (node.node === 'equiJoin') {
    return node.leftKeys.length === 0 && !inputsOf(node).some(isOneRow);
  }
  return node.node === 'semiJoin' && node.leftKeys.length === 0 && node.condition !== null;
}

/** A group of everything. */
function isOneRow(node: PlanNode): boolean {
  if (node.node === 'aggregate') return node.keys.length === 0;
  const [only, second] = inputsOf(node);
  return node.node !== 'explode' && only !== undefined && second === undefined && isOneRow(only);
}

function explainNode(node: PlanNode, demand: Demand, depth: number, lines: string[]): void {
  const { kind, key, state } = propertiesOf(node, demand);
  const properties = `[${kind}${key.length > 0 ? `(${key.join(', ')})` : ''} · ${demand} · ${stateText(state)}]`;
  const detail = detailOf(node);
  const indent = '  '.repeat(depth);
  lines.push(`${indent}${node.id} ${properties}`);
  for (const line of detail) lines.push(`${indent}    ${line}`);
  for (const input of inputsOf(node)) explainNode(input, demandBelow(node, demand), depth + 1, lines);
}

function detailOf(node: PlanNode): readonly string[] {
  switch (node.node) {
    case 'scan': {
      const columns = node.schema.columns.map(c => c.name).join(', ');
      const outside = node.outside ? ' records from outside' : '';
      return [`${node.source.kind} ${node.source.name}, topic ${node.source.topic}${outside}: ${columns}`];
    }
    case 'read':
      return [`${node.view}: ${node.schema.columns.map(c => c.name).join(', ')}`];
    case 'filter':
      return [exprText(node.predicate)];
    case 'project':
      return node.columns.map((column, i) => {
        const name = node.schema.columns[i]?.name ?? '?';
        const text = exprText(column);
        return text === name ? name : `${name} = ${text}`;
      });
    case 'explode':
      return [
        ...node.functions.map(f => `${f.fn}(${f.args.map(exprText).join(', ')}): ${typeText(f.type)}`),
        ...(node.ordinality ? ['numbered'] : []),
      ];
    case 'rekey':
      return [
        `key ${node.keys.map(exprText).join(', ') || 'none'}`,
        `then ${node.rest.map(i => node.input.schema.columns[i]?.name ?? '?').join(', ') || 'nothing'}`,
      ];
    case 'normalize':
    case 'union':
    case 'copies':
    case 'keyed':
      return [];
    case 'rank': {
      const rows = node.to === null ? `rows from ${node.from + 1} on` : `rows ${node.from + 1} to ${node.to}`;
      return [...partitionText(node), `${orderText(node)}: ${rows}${node.numbered ? ', numbered' : ''}`];
    }
    case 'over':
      return [...partitionText(node), orderText(node), ...node.functions.map(f => functionText(f, node))];
    case 'setOperation':
      return [`${node.op}${node.all ? ' all' : ''}`];
    case 'streamStreamJoin': {
      const near = `right within ${durationText(node.before)} before, ${durationText(node.after)} after`;
      const unmatched =
        node.type === 'inner' ? [] : [`null rows ${node.eager ? 'at once' : 'after the grace'}`];
      return [joinText(node), [near, `grace ${durationText(node.grace)}`, ...unmatched].join(', ')];
    }
    case 'streamTableJoin':
    case 'tableTableJoin':
    case 'foreignKeyJoin':
      return [joinText(node)];
    case 'equiJoin':
    case 'semiJoin':
      return [joinText(node), ...(node.condition ? [`where ${exprText(node.condition)}`] : [])];
    case 'temporalFilter':
      return [
        ...(node.from ? [`from ${exprText(node.from)}`] : []),
        ...(node.until ? [`until ${exprText(node.until)}`] : []),
      ];
    case 'aggregate':
      return [
        `by ${node.keys.map(exprText).join(', ') || 'nothing: one group'}`,
        ...(node.window ? [windowText(node.window)] : []),
        ...node.aggregates.map(aggregateText),
        `NULL keys: ${node.nullKeys}, empty groups: ${node.emptyGroups}`,
      ];
    case 'emitFinal':
      return node.closeAfter === null
        ? []
        : [`closes ${durationText(node.closeAfter)} after the window's end`];
    default:
      return unreachable(node);
  }
}

function inputName({ input }: RankNode | OverNode, i: number): string {
  return input.schema.columns[i]?.name ?? '?';
}

function partitionText(node: RankNode | OverNode): readonly string[] {
  const names = node.partition.map(i => inputName(node, i));
  return names.length > 0 ? [`by ${names.join(', ')}`] : [];
}

function orderText(node: RankNode | OverNode): string {
  const order = node.order.map(
    o => `${inputName(node, o.column)}${o.descending ? ' desc' : ''}${o.nullsFirst ? ' nulls first' : ''}`,
  );
  return `in order of ${order.join(', ') || 'arrival'}`;
}

function functionText({ fn, args, constants, filter, frame, type }: WindowFunction, node: OverNode): string {
  const all = [...args.map(i => inputName(node, i)), ...constants.map(String)].join(', ');
  const where = filter === null ? '' : ` filter ${inputName(node, filter)}`;
  return `${fn}(${all})${where}${frame ? ` over ${frameText(frame)}` : ''}: ${typeText(type)}`;
}

function joinText(node: JoinNode): string {
  const pairs = node.leftKeys.map((left, i) => {
    const right = node.rightKeys[i];
    return `${exprText(left)} = ${right ? exprText(right) : '?'}`;
  });
  if (pairs.length === 0) return `${node.type}, every row with every row`;
  return `${node.type} on ${pairs.join(' and ')}`;
}

function aggregateText(call: AggregateCall): string {
  const constants = call.constants.map(c => (typeof c === 'string' ? `'${c}'` : String(c)));
  const args = [...call.args.map(exprText), ...constants].join(', ');
  const filter = call.filter ? ` FILTER (WHERE ${exprText(call.filter)})` : '';
  return `${call.fn}(${call.distinct ? 'DISTINCT ' : ''}${args || '*'})${filter}: ${typeText(call.type)}`;
}

function windowText(window: WindowSpec): string {
  const parts = [
    window.type === 'session' ? `gap ${durationText(window.size)}` : `size ${durationText(window.size)}`,
    ...(window.type === 'hopping' ? [`advance ${durationText(window.advance)}`] : []),
    `grace ${durationText(window.grace)}`,
    ...(window.retention === null ? [] : [`retention ${durationText(window.retention)}`]),
  ];
  return `${window.type} window, ${parts.join(', ')}`;
}

function stateText(state: StateVerdict): string {
  if (state.verdict === 'none') return 'no state';
  return state.verdict === 'bounded'
    ? `state bounded${state.ms > 0 ? ` (${durationText(state.ms)})` : ''}`
    : `state ${state.verdict}`;
}

function sinkText(sink: SinkSpec): string {
  const formats = `key ${formatText({ ...sink.keyFormat, wrapSingle: true })}, value ${formatText(sink.valueFormat)}`;
  const time = sink.timestamp ? `, time from ${sink.timestamp.column}` : '';
  return `topic ${sink.topic} (${formats}${time}, ${sink.partitions} partition${sink.partitions === 1 ? '' : 's'})`;
}

function formatText(format: FormatSpec): string {
  if (format.format === 'DELIMITED' && format.delimiter !== ',') {
    return `DELIMITED by ${JSON.stringify(format.delimiter)}`;
  }
  return format.format === 'JSON' && !format.wrapSingle ? 'JSON unwrapped' : format.format;
}

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
];

/** `90 s`, `24 h`: the largest unit that divides it. */
export function durationText(ms: number): string {
  const unit = ms === 0 ? undefined : UNITS.find(([, size]) => ms % size === 0);
  return unit ? `${ms / unit[1]} ${unit[0]}` : `${ms} ms`;
}
