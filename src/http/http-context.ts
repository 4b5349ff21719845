import type { FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import { parsePosition, positionToken } from '../core/position.ts';
import type { HttpLimits, HttpPorts } from './ports.ts';
import { QueryParams } from './query-params.ts';
import type { Subscriptions } from './subscriptions.ts';

/** How long a request waits for fresh rows when it says nothing of it, ms. */
const DEFAULT_WAIT = 2000;

export const POSITION_HEADER = 'millrace-position';

/** What every route is given. */
export class HttpContext {
  readonly ports: HttpPorts;
  readonly limits: HttpLimits;
  readonly subscriptions: Subscriptions;
  /** ends waiting requests when the server closes */
  readonly closing = new AbortController();

  constructor(ports: HttpPorts, limits: HttpLimits, subscriptions: Subscriptions) {
    this.ports = ports;
    this.limits = limits;
    this.subscriptions = subscriptions;
  }

  params(request: FastifyRequest): QueryParams {
    return new QueryParams(request, this.ports.suggest);
  }

  token(seq: number): string {
    return positionToken({ log: this.ports.log.id, seq });
  }

  /** The sequence of a token of this log. Throws `position_malformed` and `position_foreign`. */
  sequence(token: string): number {
    const { log, seq } = parsePosition(token);
    if (log !== this.ports.log.id) {
      throw new MillraceError('position_foreign', 'this position belongs to another log', {
        hint: 'the server has a new data folder, or the position comes from another server',
      });
    }
    return seq;
  }

  stand(reply: FastifyReply, seq: number): string {
    const token = this.token(seq);
    reply.header(POSITION_HEADER, token);
    return token;
  }

  /** Waits until the views have reached the position that `after` asks for; throws `view_behind` when they do not. */
  async freshness(params: QueryParams): Promise<void> {
    const { views } = this.ports;
    const after = params.text('after');
    const wait = params.duration('wait', this.limits.wait) ?? DEFAULT_WAIT;
    if (after === null) return;
    const seq = this.sequence(after);
    if (views.position() >= seq) return;
    const reached = await Promise.race([views.waitFor(seq, wait), this.#closed()]);
    if (reached === 'closed') throw new MillraceError('overloaded', 'the server is stopping');
    if (reached) return;
    const position = views.position();
    throw new MillraceError('view_behind', `the views are ${seq - position} records behind`, {
      hint: 'ask again in a moment, or wait longer: ?wait=10s',
      data: { asked: after, position: this.token(position), behind: seq - position },
    });
  }

  #closed(): Promise<'closed'> {
    const { signal } = this.closing;
    if (signal.aborted) return Promise.resolve('closed');
    return new Promise(resolve => signal.addEventListener('abort', () => resolve('closed'), { once: true }));
  }
}
