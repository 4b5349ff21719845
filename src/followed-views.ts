import type { ViewChange } from './commands/reaction.ts';
import type { Items, ViewChanges } from './commands/reaction-source.ts';
import { MillraceError } from './core/errors.ts';
import type { MissedChanges } from './deploy/missed-changes.ts';
import type { OpenView, ViewChange as ServedChange, Subscription, ViewAccess } from './deploy/view-access.ts';

export interface FollowPorts {
  readonly views: Pick<ViewAccess, 'open' | 'subscribe' | 'position'>;
  /** gives what the feed of a view no longer keeps */
  readonly missed: MissedChanges;
}

/** changes that may wait for a slow reaction; the rest stays in the feed, or is computed again */
const MAX_WAITING = 10_000;

/**
 * The served versions of views as a source for reactions: each change with the sequence of its record, none left out.
 * What the feed no longer keeps (after a restart, after a promotion, or because a reaction was slow) is computed again
 * from the log; then the feed goes on from there. A change that was handled before may come again under the same
 * sequence; intermediate changes of one row within an epoch may be merged.
 */
export function followedViews({ views, missed }: FollowPorts): ViewChanges {
  return {
    async *follow(name, from, signal) {
      let at = from;
      while (!signal.aborted) {
        const view = views.open(name);
        const feed = Feed.open(views, view, at);
        if (feed === null) {
          const to = views.position();
          for await (const { changes, position } of missed({ view: view.name, from: at, to }, signal)) {
            at = position;
            yield itemsOf(view, changes, position);
          }
          if (signal.aborted) return;
          at = to;
          yield { items: [], next: to };
          continue;
        }
        signal.addEventListener('abort', feed.end);
        try {
          for await (const items of feed.items()) {
            at = items.next;
            yield items;
          }
        } finally {
          signal.removeEventListener('abort', feed.end);
          feed.end();
        }
      }
    },
  };
}

/** One subscription, as items that can be awaited; it ends when the served version is replaced or the reader is slow. */
class Feed {
  #arrived: Items<ViewChange>[] = [];
  #waiting = 0;
  #ended = false;
  #subscription: Subscription | null = null;
  #wake: (() => void) | null = null;

  /** Null: what comes from this position on is no longer kept. */
  static open(views: FollowPorts['views'], view: OpenView, from: number): Feed | null {
    const feed = new Feed();
    // a view that a crash set back comes by what was handled once more
    const known = from > views.position() ? null : from;
    try {
      feed.#subscription = views.subscribe(view.name, known, {
        changes: (changes, next) => feed.#arrive(view, from, changes, next),
        reset: feed.end,
      });
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'position_expired') return null;
      throw error;
    }
    if (feed.#ended) feed.#subscription.close();
    return feed;
  }

  readonly end = (): void => {
    this.#ended = true;
    this.#subscription?.close();
    this.#wake?.();
  };

  async *items(): AsyncGenerator<Items<ViewChange>> {
    for (;;) {
      const next = this.#arrived.shift();
      if (next !== undefined) {
        this.#waiting -= next.items.length;
        yield next;
      } else if (this.#ended) return;
      else {
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
      }
    }
  }

  #arrive(view: OpenView, from: number, changes: readonly ServedChange[], next: number): void {
    if (this.#ended || next <= from) return;
    const items = itemsOf(
      view,
      changes.filter(c => c.seq >= from),
      next,
    );
    this.#arrived.push(items);
    this.#waiting += items.items.length;
    if (this.#waiting > MAX_WAITING) this.end();
    else this.#wake?.();
  }
}

function itemsOf(view: OpenView, changes: readonly ServedChange[], next: number): Items<ViewChange> {
  const items = changes.map(({ op, row, seq, id }) => ({
    view: view.name,
    seq,
    key: id,
    row: op === 'delete' ? null : Object.fromEntries(view.columns.map((c, i) => [c.name, row[i] ?? null])),
  }));
  return { items: items.sort((a, b) => a.seq - b.seq), next };
}
