import { unreachable } from '../../core/assert.ts';
import type { RowDecoder } from '../../decode/row-decoder.ts';
import type { PlanNode, ScanNode } from '../../plan/plan.ts';
import { kindOf } from '../../plan/properties.ts';
import { aggregate } from './aggregate.ts';
import { emitFinal } from './emit-final.ts';
import { explode } from './explode.ts';
import { filter } from './filter.ts';
import type { FoldNode, FoldOptions } from './fold-node.ts';
import { normalize } from './normalize.ts';
import { project } from './project.ts';
import { read } from './read.ts';
import { rekey } from './rekey.ts';
import { scan } from './scan.ts';
import { sessionAggregate } from './session-aggregate.ts';
import { temporalFilter } from './temporal-filter.ts';
import { union } from './union.ts';

export interface BuildOptions extends FoldOptions {
  readonly decoderOf: (node: ScanNode) => RowDecoder;
}

/** The running form of a plan. */
export function buildNode(node: PlanNode, options: BuildOptions): FoldNode {
  const build = (input: PlanNode) => buildNode(input, options);
  switch (node.node) {
    case 'scan':
      return scan(node, options.decoderOf(node));
    case 'read':
      return read(node);
    case 'filter':
      return filter(node, build(node.input), options);
    case 'project':
      return project(node, build(node.input), options);
    case 'explode':
      return explode(node, build(node.input), options);
    case 'rekey':
      return rekey(node, build(node.input), options);
    case 'normalize':
      return normalize(node, build(node.input));
    case 'temporalFilter':
      return temporalFilter(node, build(node.input), options);
    case 'aggregate':
      return node.window?.type === 'session'
        ? sessionAggregate(node, build(node.input), options)
        : aggregate(node, build(node.input), options, kindOf(node.input) === 'retract');
    case 'emitFinal':
      return emitFinal(node, build(node.input));
    case 'union':
      return union(node.inputs.map(build));
    default:
      return unreachable(node);
  }
}
