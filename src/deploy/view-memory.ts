import type { OperatorSize } from '../dataflow/live/protocol.ts';

/** Operator state of one view. A view without state (a filter, a projection) has none of it. */
export interface ViewMemory {
  readonly rows: number;
  readonly bytes: number;
  readonly operators: readonly Omit<OperatorSize, 'view'>[];
}

export const NO_STATE: ViewMemory = { rows: 0, bytes: 0, operators: [] };

/** ms that an answer waits for the live worker, which may be taking in a build */
const PATIENCE = 1_000;

export function memoryByView(sizes: readonly OperatorSize[]): ReadonlyMap<string, ViewMemory> {
  const views = new Map<string, ViewMemory>();
  for (const { view, operator, rows, bytes } of sizes) {
    const before = views.get(view) ?? NO_STATE;
    views.set(view, {
      rows: before.rows + rows,
      bytes: before.bytes + bytes,
      operators: [...before.operators, { operator, rows, bytes }],
    });
  }
  return views;
}

/** The sizes, or null when the worker does not answer soon: a status is wanted most when something is slow. */
export async function soon(
  asked: Promise<readonly OperatorSize[]>,
  ms: number = PATIENCE,
): Promise<readonly OperatorSize[] | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>(resolve => {
    timer = setTimeout(resolve, ms, null);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
