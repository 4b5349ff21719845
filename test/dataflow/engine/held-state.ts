import { deserialize } from 'node:v8';
import { bitAt } from '../../../src/core/bits.ts';
import type { StateParts } from '../../../src/dataflow/dataflow.ts';
import type { ColumnSection, StateSection } from '../../../src/state/state-section.ts';

/** State as what it means: of tables the slots that have a key, with their values. What freed slots hold is nothing. */
export function heldState(parts: StateParts): unknown {
  return [...parts].map(([view, list]) => [view, list.map(part => held(deserialize(part)))]);
}

function held(state: unknown): unknown {
  if (Array.isArray(state)) return state.map(held);
  if (typeof state !== 'object' || state === null || Object.getPrototypeOf(state) !== Object.prototype) {
    return state;
  }
  if ('keyEnd' in state) return slots(state as StateSection);
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [name, held(value)]));
}

function slots({ keyEnd, keys, prefix, columns }: StateSection): unknown[] {
  const found: unknown[] = [];
  let start = 0;
  for (const [k, end] of keyEnd.entries()) {
    if (end === -1) continue;
    const values = columns.map(c => value(c, k));
    found.push([k, prefix[k], Buffer.from(keys.subarray(start, end)).toString('hex'), ...values]);
    start = end;
  }
  return found;
}

function value(section: ColumnSection, k: number): unknown {
  if ('packed' in section) return (deserialize(section.packed) as unknown[])[k];
  if ('texts' in section) {
    const { texts, ends } = section;
    const end = ends[k] as number;
    const start = Math.max(0, ...ends.subarray(0, k));
    return end === -1 ? null : Buffer.from(texts.subarray(start, end)).toString();
  }
  return bitAt(section.nulls, k) ? null : section.values[k];
}
