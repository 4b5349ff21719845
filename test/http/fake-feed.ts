import { MillraceError } from '../../src/core/errors.ts';
import type { ChangeListener, Subscription, ViewChange } from '../../src/deploy/view-access.ts';

/** The changes of a view of a test; it keeps all since `since`. */
export class FakeFeed {
  since: number;
  readonly listeners = new Set<ChangeListener>();
  #epochs: { readonly changes: readonly ViewChange[]; readonly position: number }[] = [];

  constructor(position: number) {
    this.since = position;
  }

  publish(changes: readonly ViewChange[], position: number): void {
    this.#epochs.push({ changes, position });
    for (const listener of [...this.listeners]) listener.changes(changes, position);
  }

  subscribe(from: number | null, listener: ChangeListener): Subscription {
    if (from !== null) {
      if (from < this.since) throw new MillraceError('position_expired', 'no longer kept');
      for (const { changes, position } of this.#epochs) {
        if (position > from) listener.changes(changes, position);
      }
    }
    this.listeners.add(listener);
    return { close: () => this.listeners.delete(listener) };
  }

  close(): void {
    for (const listener of [...this.listeners]) listener.reset();
    this.listeners.clear();
  }
}
