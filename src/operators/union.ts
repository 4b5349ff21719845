import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { UnionNode } from '../plan/plan.ts';
import { ChangeBuilder } from './change-builder.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import type { Epoch, Operator } from './operator.ts';

/** All changes of all inputs, merged by (sequence, input). */
export class Union implements Operator, PortReader {
  readonly id: string;
  readonly #out: ChangeBuilder;

  constructor(node: UnionNode) {
    this.id = node.id;
    this.#out = new ChangeBuilder(node.schema);
  }

  step(_: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[] {
    const filled = inputs.filter(batches => batches.length > 0);
    if (filled.length <= 1) return filled[0] ?? [];
    readPorts(inputs, [...inputs.keys()], this);
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  begin(): void {}

  take(_: number, batch: Batch, i: number): void {
    this.#out.copy(batch.op === null ? Op.ADD : (batch.op[i] as Op), batch, i);
  }

  settle(): void {}

  deadline(): number | null {
    return null;
  }

  state(): unknown {
    return null;
  }

  load(): void {}

  size(): null {
    return null;
  }
}
