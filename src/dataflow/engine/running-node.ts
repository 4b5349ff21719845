import { unreachable } from '../../core/assert.ts';
import type { Batch } from '../../core/batch.ts';
import { Aggregate } from '../../operators/aggregate.ts';
import { Copies } from '../../operators/copies.ts';
import { EmitFinal } from '../../operators/emit-final.ts';
import { EquiJoin } from '../../operators/equi-join.ts';
import { Explode } from '../../operators/explode.ts';
import { Filter } from '../../operators/filter.ts';
import { ForeignKeyJoin } from '../../operators/foreign-key-join.ts';
import { Having } from '../../operators/having.ts';
import { Keyed } from '../../operators/keyed.ts';
import { Normalize } from '../../operators/normalize.ts';
import type { Epoch, Operator, OperatorContext } from '../../operators/operator.ts';
import { Over } from '../../operators/over.ts';
import { Present } from '../../operators/present.ts';
import { Project } from '../../operators/project.ts';
import { Rank } from '../../operators/rank.ts';
import { Rekey } from '../../operators/rekey.ts';
import { SemiJoin } from '../../operators/semi-join.ts';
import { SessionAggregate } from '../../operators/session-aggregate.ts';
import { SetOperation } from '../../operators/set-operation.ts';
import { StreamStreamJoin } from '../../operators/stream-stream-join.ts';
import { StreamTableJoin } from '../../operators/stream-table-join.ts';
import { TableTableJoin } from '../../operators/table-table-join.ts';
import { TemporalFilter } from '../../operators/temporal-filter.ts';
import { Union } from '../../operators/union.ts';
import type { PlanNode } from '../../plan/plan.ts';
import { inputsOf, kindOf } from '../../plan/properties.ts';
import { StateTable } from '../../state/state-table.ts';
import { passesDemand } from './demand.ts';
import type { Reject, SourceScans } from './source-scans.ts';

/** A node of a running view: gives its changes of an epoch after its inputs have given theirs. */
export interface RunningNode {
  run(epoch: Epoch): readonly Batch[];
}

export interface RunningPlan {
  readonly root: RunningNode;
  /** inputs before the operators that read them */
  readonly operators: readonly Operator[];
  /** of all operators */
  readonly tables: readonly StateTable[];
}

export interface RunningPlanOptions {
  readonly context: OperatorContext;
  readonly scans: SourceScans;
  /** takes the records that a scan cannot read */
  readonly unreadable: Reject;
  /** changes of another view in the current epoch */
  readonly changesOf: (view: string) => readonly Batch[];
  /** only the last change per key and epoch of the root is wanted */
  readonly final: boolean;
  /** complete SQL: a stream's record without value is a row of NULLs like any other */
  readonly complete: boolean;
}

export function runningPlan(root: PlanNode, options: RunningPlanOptions): RunningPlan {
  const operators: Operator[] = [];
  const tables: StateTable[] = [];
  const table = (): StateTable => {
    const made = new StateTable();
    tables.push(made);
    return made;
  };
  const byNode = new Map<PlanNode, Operator>();
  const build = (node: PlanNode, final: boolean): RunningNode => {
    if (node.node === 'scan') {
      const changes = options.scans.add(node);
      return {
        run: () => {
          const batch = changes(options.unreadable);
          return batch === null ? [] : [options.complete ? asRows(batch) : batch];
        },
      };
    }
    if (node.node === 'read') {
      const changes = () => options.changesOf(node.view);
      return { run: options.complete ? () => changes().map(asRows) : changes };
    }
    const passes = final && passesDemand(node);
    const inputs = inputsOf(node).map(input => build(input, passes));
    const [only] = inputsOf(node);
    const below = only === undefined ? undefined : byNode.get(only);
    if (node.node === 'filter' && passes && below instanceof Aggregate && below.takesHaving(node)) {
      return inputs[0] as RunningNode;
    }
    const operator = operatorFor(node, {
      context: options.context,
      table,
      final: final && (node.node !== 'filter' || passes),
      below,
    });
    operators.push(operator);
    byNode.set(node, operator);
    return {
      run: epoch =>
        operator.step(
          epoch,
          inputs.map(input => input.run(epoch)),
        ),
    };
  };
  const built = build(root, options.final);
  if (options.final || !mayDeleteNothing(root)) return { root: built, operators, tables };
  const present = new Present(root.schema, table());
  operators.push(present);
  return { root: { run: epoch => present.step(epoch, [built.run(epoch)]) }, operators, tables };
}

function asRows(batch: Batch): Batch {
  return batch.noValue === null ? batch : { ...batch, noValue: null };
}

/** Whether a keyed relation may give DELETEs of keys that have no row. */
function mayDeleteNothing(node: PlanNode): boolean {
  switch (node.node) {
    case 'scan':
      return node.source.kind === 'table';
    case 'filter':
      // above an aggregate without sessions it knows (see Having)
      return kindOf(node) === 'upsert' && !isPlainAggregate(node.input);
    case 'project':
      return kindOf(node) === 'upsert' && mayDeleteNothing(node.input);
    default:
      return false;
  }
}

function isPlainAggregate(node: PlanNode): boolean {
  return node.node === 'aggregate' && node.window?.type !== 'session';
}

type OperatorNode = Exclude<PlanNode, { node: 'scan' | 'read' }>;

interface Surroundings {
  readonly context: OperatorContext;
  /** a new one, for the operator's state */
  readonly table: () => StateTable;
  readonly final: boolean;
  /** the operator of the only input */
  readonly below: Operator | undefined;
}

function operatorFor(node: OperatorNode, { context, table, final, below }: Surroundings): Operator {
  switch (node.node) {
    case 'filter':
      return below instanceof Aggregate ? new Having(node, context, below) : new Filter(node, context);
    case 'project':
      return new Project(node, context);
    case 'explode':
      return new Explode(node, context);
    case 'rekey':
      return new Rekey(node, context);
    case 'normalize':
      return new Normalize(node, table());
    case 'temporalFilter':
      return new TemporalFilter(node, context, kindOf(node.input), {
        rows: table(),
        distinct: table(),
      });
    case 'aggregate': {
      if (node.window?.type === 'session') {
        return new SessionAggregate({
          node,
          context,
          keys: table(),
          sessions: table(),
          final,
        });
      }
      const retracting = kindOf(node.input) === 'retract';
      return new Aggregate({ node, context, table: table(), retracting, final });
    }
    case 'emitFinal':
      return new EmitFinal(node, context, table());
    case 'union':
      return new Union(node);
    case 'setOperation':
      return new SetOperation(node, table());
    case 'streamStreamJoin':
      return new StreamStreamJoin(node, context, {
        index: table(),
        left: table(),
        right: table(),
      });
    case 'streamTableJoin':
      return new StreamTableJoin(node, context, table());
    case 'tableTableJoin':
      return new TableTableJoin(node, context, table());
    case 'foreignKeyJoin':
      return new ForeignKeyJoin(node, context, { left: table(), right: table() });
    case 'copies':
      return new Copies(node, table());
    case 'keyed':
      return new Keyed(node);
    case 'rank':
      return new Rank(node, context, { table, retracting: kindOf(node.input) === 'retract' });
    case 'over':
      return new Over(node, context, { table, retracting: kindOf(node.input) === 'retract' });
    case 'equiJoin':
      return new EquiJoin(node, context, table);
    case 'semiJoin':
      return new SemiJoin(node, context, table);
    default:
      return unreachable(node);
  }
}
