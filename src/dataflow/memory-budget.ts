import { byteText } from '../core/byte-size.ts';
import { MillraceError } from '../core/errors.ts';
import type { Engine } from './dataflow.ts';
import { ViewFailure } from './view-failure.ts';

/** why a view is paused */
export const MEMORY_BUDGET = 'memory budget';

/** The state that was too much, bytes. */
export interface OverBudget {
  readonly bytes: number;
  readonly budget: number;
}

export interface BudgetOptions {
  readonly budget: number;
  /** bytes of state elsewhere in the process */
  readonly beside?: number | undefined;
  /** views that may be paused; default all */
  readonly pausable?: ((view: string) => boolean) | undefined;
}

export function stateBytes(sizes: ReturnType<Engine['stateSize']>): number {
  return sizes.reduce((sum, s) => sum + s.bytes, 0);
}

/**
 * While operator state exceeds the memory budget of the process, the failure of the view that has most of it: that view
 * is paused. Null when all fits.
 */
export function overBudget(
  sizes: ReturnType<Engine['stateSize']>,
  { budget, beside = 0, pausable = () => true }: BudgetOptions,
): ViewFailure | null {
  const all = beside + stateBytes(sizes);
  if (all <= budget) return null;
  const byView = new Map<string, number>();
  for (const { view, bytes } of sizes) {
    if (pausable(view)) byView.set(view, (byView.get(view) ?? 0) + bytes);
  }
  const [largest] = [...byView].sort(([, a], [, b]) => b - a);
  if (largest === undefined) return null;
  const [view, bytes] = largest;
  const error = new MillraceError(
    'view_paused',
    `${MEMORY_BUDGET}: its state takes ${byteText(bytes)}, that of all views ${byteText(all)}, and ${byteText(budget)} are allowed`,
    { data: { bytes, budget } },
  );
  return new ViewFailure(view, error);
}

/** What a failure of {@link overBudget} is about; undefined for every other one. */
export function pauseOf({ cause }: ViewFailure): OverBudget | undefined {
  if (!(cause instanceof MillraceError) || cause.code !== 'view_paused') return undefined;
  return cause.data as unknown as OverBudget;
}
