/** What went wrong inside one view: the others can go on without it (design, law 6). */
export class ViewFailure extends Error {
  override readonly name = 'ViewFailure';
  readonly view: string;

  constructor(view: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.view = view;
  }
}

/** Runs what belongs to one view, so that a failure names it. */
export function ofView<T>(view: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof ViewFailure ? error : new ViewFailure(view, error);
  }
}
