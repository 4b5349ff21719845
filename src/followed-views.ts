import type { ViewChange } from './commands/reaction.ts';
import type { Items, ViewChanges } from './commands/reaction-source.ts';
import { MillraceError } from './core/errors.ts';
import type { Row } from './core/value.ts';
import type { OpenView, ViewAccess } from './deploy/view-access.ts';

export interface FollowOptions {
  /** hears that a reaction could not be given the changes of a view between two positions: they are no longer kept */
  readonly onGap: (view: string, from: number, to: number) => void;
}

type Views = Pick<ViewAccess, 'open' | 'subscribe' | 'position'>;

/** The served versions of views as a source for reactions. A promotion goes on with the new version's changes. */
export function followedViews(views: Views, options: FollowOptions): ViewChanges {
  return {
    async *follow(view, from, signal) {
      let at = from;
      if (from === 0) {
        const { items, next } = present(views.open(view));
        at = next;
        yield { items, next };
      }
      while (!signal.aborted) {
        const feed = new Feed(views, view, at);
        signal.addEventListener('abort', feed.end);
        try {
          if (feed.start > at) options.onGap(view, at, feed.start);
          for await (const items of feed.items()) {
            at = items.next;
            yield items;
          }
        } finally {
          signal.removeEventListener('abort', feed.end);
          feed.close();
        }
      }
    },
  };
}

/** One subscription, as items that can be awaited; it ends when the served version is replaced. */
class Feed {
  readonly start: number;
  readonly #from: number;
  readonly #view: OpenView;
  readonly #close: () => void;
  #arrived: Items<ViewChange>[] = [];
  #ended = false;
  #wake: (() => void) | null = null;
  readonly end = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  constructor(views: Views, name: string, from: number) {
    this.#view = views.open(name);
    this.#from = from;
    const subscribe = (position: number | null) =>
      views.subscribe(name, position, {
        changes: (changes, next) => {
          const items = changes.map(({ op, row }) =>
            change(this.#view, op === 'delete' ? null : row, row, next),
          );
          // A view that was set back by a crash comes by what was handled once more.
          if (next > this.#from) this.#arrived.push({ items, next });
          this.#wake?.();
        },
        reset: this.end,
      });
    let start = from;
    let subscription: { close(): void };
    try {
      subscription = subscribe(from);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      if (error.code !== 'position_expired' && error.code !== 'position_ahead') throw error;
      subscription = subscribe(null);
      start = views.position();
    }
    this.start = start;
    this.#close = () => subscription.close();
  }

  async *items(): AsyncGenerator<Items<ViewChange>> {
    for (;;) {
      const arrived = this.#arrived;
      this.#arrived = [];
      yield* arrived;
      if (this.#ended && this.#arrived.length === 0) return;
      if (this.#arrived.length > 0) continue;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#close();
  }
}

/** The rows as they are, for a reaction that begins at the beginning. */
function present(view: OpenView): Items<ViewChange> {
  const next = view.position;
  const items: ViewChange[] = [];
  for (const { row } of view.scan()) items.push(change(view, row, row, next));
  return { items, next };
}

function change(view: OpenView, row: Row | null, keyed: Row, next: number): ViewChange {
  return {
    view: view.name,
    seq: next - 1,
    key: view.key.map(k => encodeURIComponent(String(keyed[k] ?? ''))).join('/'),
    row: row && Object.fromEntries(view.columns.map((column, i) => [column.name, row[i] ?? null])),
  };
}
