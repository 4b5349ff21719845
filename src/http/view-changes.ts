import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import type { OpenView, Subscription, ViewChange } from '../deploy/view-access.ts';
import { ChangeEvents, changeEvents, type SeenChange } from './change-events.ts';
import { EventStream } from './event-stream.ts';
import type { HttpContext } from './http-context.ts';
import { problemOf } from './problem.ts';
import type { QueryParams } from './query-params.ts';
import { PROBLEM, query, text } from './route-schema.ts';
import { type RowFilter, rowFilters } from './row-filter.ts';
import { FORMAT_PARAMS, type Numbers } from './row-format.ts';
import { rowSize } from './row-size.ts';
import { candidates } from './view-page.ts';

/** rows that a snapshot reads in one turn of the event loop */
const TURN_ROWS = 2000;
/** characters of the rows of one turn, about */
const TURN_SIZE = 1024 * 1024;
/** rows of one snapshot event */
const CHUNK_ROWS = 500;

const PARAMS = {
  after: text('resume behind this position (or: header Last-Event-ID); without it a snapshot comes first'),
  numbers: FORMAT_PARAMS.numbers ?? {},
};

/** Rows of a view as they change. */
export function viewChangeRoutes(app: FastifyInstance, context: HttpContext): void {
  app.get(
    '/views/:name/changes',
    {
      exposeHeadRoute: false,
      schema: {
        summary: 'Follows a view: its rows, then every change (server-sent events)',
        description:
          'Events: `snapshot` {rows, complete, position} one or more times, then `change` {op: upsert | delete | ' +
          'insert, row, position}; a deleted row has its key columns only. Where rows have no key of their own, `key` ' +
          '(in snapshots `keys`) names them. Event ids are positions: who has read an ' +
          'event with an id has all up to there, and resumes with `Last-Event-ID` or `?after=`. `reset`: another ' +
          'version of the view serves now, a new snapshot follows. `dropped` {position}: the client reads too ' +
          'slowly; it may resume there. 409 `position_expired` when the changes since are no longer kept.',
        tags: ['views'],
        params: query({ name: text('name of the view, in any case') }),
        querystring: query(PARAMS, 'only rows with `column=value`, `column.gte=value` ...'),
        response: {
          '200': { description: 'events', content: { 'text/event-stream': { schema: { type: 'string' } } } },
          default: PROBLEM,
        },
      },
    },
    async (request, reply) => {
      const params = context.params(request);
      const { name } = request.params as { name: string };
      const numbers = params.word('numbers', ['string', 'json']) ?? 'string';
      const after = String(request.headers['last-event-id'] ?? '') || params.text('after');
      const from = after === null ? null : context.sequence(after);
      const view = context.ports.views.open(name);
      const filters = conditions(context, view, params);
      context.subscriptions.check();
      const follower = new ViewFollower(context, { name: view.name, params, numbers });
      const resumed = from === null ? null : follower.resume(view, filters, from);
      // all that can be refused has been: now the answer begins
      follower.start(new EventStream(reply, follower.streamOptions), view, filters, resumed);
    },
  );
}

function conditions(context: HttpContext, view: OpenView, params: QueryParams): readonly RowFilter[] {
  const { text, suggest } = context.ports;
  return rowFilters(view, params.others, { text, suggest, known: Object.keys(PARAMS) });
}

interface Epoch {
  readonly changes: readonly ViewChange[];
  readonly position: number;
}

interface SnapshotRow {
  readonly json: string;
  /** JSON text; null where the row has a key of its own */
  readonly key: string | null;
}

/**
 * One subscriber of one view. A snapshot that takes several turns is read while the view goes on: changes of meanwhile
 * wait, the last one of each key, and follow it. Rows read late may already have them; none is missed, and no row goes
 * back to an older state.
 */
class ViewFollower {
  readonly #context: HttpContext;
  readonly #name: string;
  readonly #params: QueryParams;
  readonly #numbers: Numbers;
  #stream: EventStream | null = null;
  #subscription: Subscription | null = null;
  #events: ChangeEvents | null = null;
  /** sequence up to which everything is sent; null while a snapshot is not complete */
  #position: number | null = null;
  /** changes that wait until the snapshot is complete: the last one of each row */
  #waiting = new Map<string, SeenChange>();
  #waitingBytes = 0;
  /** epochs that are heard before the answer begins */
  #early: Epoch[] | null = null;

  constructor(context: HttpContext, asked: { name: string; params: QueryParams; numbers: Numbers }) {
    this.#context = context;
    this.#name = asked.name;
    this.#params = asked.params;
    this.#numbers = asked.numbers;
  }

  get streamOptions() {
    const { subscriptions, limits } = this.#context;
    return {
      subscriptions,
      backlog: limits.backlog,
      sent: () => (this.#position === null ? null : this.#context.token(this.#position)),
      reached: () => this.#reached(),
    };
  }

  /** Subscribes behind a position; what was missed since is sent once the answer begins. */
  resume(view: OpenView, filters: readonly RowFilter[], from: number): readonly Epoch[] {
    this.#early = [];
    this.#listen(view, filters, from);
    const missed = this.#early;
    this.#early = null;
    this.#position = view.position;
    return missed;
  }

  start(
    stream: EventStream,
    view: OpenView,
    filters: readonly RowFilter[],
    resumed: readonly Epoch[] | null,
  ): void {
    this.#stream = stream;
    stream.onClose(() => this.#subscription?.close());
    if (resumed === null) {
      this.#snapshotFrom(view, filters);
      return;
    }
    for (const { changes, position } of resumed) {
      stream.sendOwed(changeEvents(this.#seen(changes), this.#context.token(position)));
    }
  }

  /** The position that the client stands at once it has read everything; the view may have moved without changes. */
  #reached(): string | null {
    if (this.#position === null) return null;
    try {
      this.#position = Math.max(this.#position, this.#context.ports.views.open(this.#name).position);
    } catch {
      // no longer served: the last position stands
    }
    return this.#context.token(this.#position);
  }

  #listen(view: OpenView, filters: readonly RowFilter[], from: number | null): void {
    const { views, text } = this.#context.ports;
    this.#events = new ChangeEvents(view, filters, this.#numbers, text);
    try {
      this.#subscription = views.subscribe(this.#name, from, {
        changes: (changes, position) => this.#heard(changes, position),
        reset: () => this.#reset(),
      });
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'position_expired') throw error;
      throw new MillraceError('position_expired', error.message, {
        hint: 'take a fresh snapshot: subscribe without `after` and without Last-Event-ID',
        data: { position: this.#context.token(view.position) },
        cause: error,
      });
    }
  }

  #seen(changes: readonly ViewChange[]): SeenChange[] {
    const events = this.#events as ChangeEvents;
    return changes.flatMap(change => events.seen(change) ?? []);
  }

  #heard(changes: readonly ViewChange[], position: number): void {
    if (this.#early !== null) {
      this.#early.push({ changes, position });
      return;
    }
    const seen = this.#seen(changes);
    if (this.#position === null) {
      this.#keep(seen);
      return;
    }
    // a client that is dropped here resumes at the position before
    this.#stream?.send(changeEvents(seen, this.#context.token(position)));
    this.#position = position;
  }

  #keep(seen: readonly SeenChange[]): void {
    for (const change of seen) {
      this.#waitingBytes += change.data.length - (this.#waiting.get(change.id)?.data.length ?? 0);
      this.#waiting.delete(change.id);
      this.#waiting.set(change.id, change);
    }
    if (this.#waitingBytes > this.#context.limits.backlog) this.#stream?.drop();
  }

  #reset(): void {
    this.#subscription = null;
    this.#position = null;
    this.#stream?.send([{ event: 'reset', data: '{"reason":"another version of the view serves"}', id: '' }]);
    // the new version is there after this turn
    setImmediate(() => {
      if (this.#stream?.open !== true) return;
      try {
        const view = this.#context.ports.views.open(this.#name);
        this.#snapshotFrom(view, conditions(this.#context, view, this.#params));
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #snapshotFrom(view: OpenView, filters: readonly RowFilter[]): void {
    this.#position = null;
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    this.#listen(view, filters, null);
    this.#snapshot(view, filters, this.#subscription).catch(error => this.#fail(error));
  }

  async #snapshot(
    view: OpenView,
    filters: readonly RowFilter[],
    subscription: Subscription | null,
  ): Promise<void> {
    const { text } = this.#context.ports;
    const stream = this.#stream as EventStream;
    const events = this.#events as ChangeEvents;
    const last = view.key.length === 0 ? lastKey(view) : null;
    let after: Uint8Array | undefined;
    for (;;) {
      const rows: SnapshotRow[] = [];
      let complete = true;
      let read = 0;
      let size = 0;
      for (const { key, row } of candidates(view, filters, text, { after })) {
        if (last !== null && Buffer.compare(key, last) > 0) break; // it comes as a change
        if (++read > TURN_ROWS || size > TURN_SIZE) {
          complete = false;
          break;
        }
        after = key;
        if (!events.matches(row)) continue;
        size += rowSize(row);
        rows.push({ json: events.rowJson(row), key: events.rowKey(key) });
      }
      this.#sendRows(stream, rows, { complete, position: this.#context.token(view.position) });
      if (complete) break;
      await stream.idle();
      await nextTurn();
      if (!stream.open || this.#subscription !== subscription) return;
    }
    const position = this.#context.token(view.position);
    stream.sendOwed(changeEvents([...this.#waiting.values()], position));
    this.#waiting.clear();
    this.#position = view.position;
  }

  #sendRows(
    stream: EventStream,
    rows: readonly SnapshotRow[],
    { complete, position }: { complete: boolean; position: string },
  ): void {
    const id = complete && this.#waiting.size === 0 ? position : undefined;
    for (let at = 0; at === 0 || at < rows.length; at += CHUNK_ROWS) {
      const chunk = rows.slice(at, at + CHUNK_ROWS);
      const end = at + CHUNK_ROWS >= rows.length;
      const keys = chunk.flatMap(r => r.key ?? []);
      const named = keys.length === 0 ? '' : `"keys":[${keys.join(',')}],`;
      const data = `{"rows":[${chunk.map(r => r.json).join(',')}],${named}"complete":${complete && end},"position":"${position}"}`;
      stream.sendOwed([{ event: 'snapshot', data, id: end ? id : undefined }]);
    }
  }

  /** An error after the answer has begun. */
  #fail(error: unknown): void {
    const { body } = problemOf(error, e => {
      this.#context.ports.onError(e, 'a subscription');
      return 'a subscription';
    });
    this.#stream?.send([{ event: 'problem', data: JSON.stringify(body) }]);
    this.#stream?.end();
  }
}

/** Key of the last row; null when there is none: then every row that comes is a change. */
function lastKey(view: OpenView): Uint8Array {
  for (const { key } of view.scan({ reverse: true })) return key;
  return new Uint8Array();
}
