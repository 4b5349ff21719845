import { unreachable } from '../../core/assert.ts';
import type { RowDecoder } from '../../decode/row-decoder.ts';
import type { JoinNode, PlanNode, ScanNode } from '../../plan/plan.ts';
import { kindOf } from '../../plan/properties.ts';
import { aggregate } from './aggregate.ts';
import { copies } from './copies.ts';
import { emitFinal } from './emit-final.ts';
import { equiJoin } from './equi-join.ts';
import { explode } from './explode.ts';
import { filter } from './filter.ts';
import type { FoldNode, FoldOptions } from './fold-node.ts';
import { foreignKeyJoin } from './foreign-key-join.ts';
import { keyed } from './keyed.ts';
import { normalize } from './normalize.ts';
import { over } from './over.ts';
import { project } from './project.ts';
import { rank } from './rank.ts';
import { read } from './read.ts';
import { rekey } from './rekey.ts';
import { scan } from './scan.ts';
import { semiJoin } from './semi-join.ts';
import { sessionAggregate } from './session-aggregate.ts';
import { setOperation } from './set-operation.ts';
import { streamStreamJoin } from './stream-stream-join.ts';
import { streamTableJoin } from './stream-table-join.ts';
import { tableTableJoin } from './table-table-join.ts';
import { temporalFilter } from './temporal-filter.ts';
import { union } from './union.ts';

export interface BuildOptions extends FoldOptions {
  /** complete SQL: a stream's record without value is a row of NULLs like any other */
  readonly complete: boolean;
  readonly decoderOf: (node: ScanNode) => RowDecoder;
}

/** The running form of a plan. */
export function buildNode(node: PlanNode, options: BuildOptions): FoldNode {
  const build = (input: PlanNode) => buildNode(input, options);
  const joinInputs = ({ left, right }: JoinNode) => ({ left: build(left), right: build(right) });
  switch (node.node) {
    case 'scan': {
      const changes = scan(node, options.decoderOf(node));
      return options.complete ? asRows(changes) : changes;
    }
    case 'read':
      return options.complete ? asRows(read(node)) : read(node);
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
    case 'setOperation':
      return setOperation(node, { left: build(node.left), right: build(node.right) });
    case 'streamStreamJoin':
      return streamStreamJoin(node, joinInputs(node), options);
    case 'streamTableJoin':
      return streamTableJoin(node, joinInputs(node), options);
    case 'tableTableJoin':
      return tableTableJoin(node, joinInputs(node), options);
    case 'foreignKeyJoin':
      return foreignKeyJoin(node, joinInputs(node), options);
    case 'equiJoin':
      return equiJoin(node, joinInputs(node), options);
    case 'semiJoin':
      return semiJoin(node, joinInputs(node), options);
    case 'rank':
      return rank(node, build(node.input));
    case 'over':
      return over(node, build(node.input), options);
    case 'keyed':
      return keyed(build(node.input));
    case 'copies':
      return copies(node, build(node.input));
    default:
      return unreachable(node);
  }
}

function asRows(input: FoldNode): FoldNode {
  return {
    deadline: () => input.deadline(),
    step: moment => input.step(moment).map(change => ({ ...change, noValue: false })),
  };
}
