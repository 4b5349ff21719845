import type { FastifyReply, FastifyRequest } from 'fastify';
import { MillraceError } from '../core/errors.ts';
import { commonEnd } from '../core/log-identity.ts';
import { parsePosition, positionToken } from '../core/position.ts';
import type { HttpLimits, HttpPorts } from './ports.ts';
import { QueryParams } from './query-params.ts';
import type { Subscriptions } from './subscriptions.ts';

/** How long a request waits for fresh rows when it says nothing of it, ms. */
export const DEFAULT_WAIT = 2000;

export const POSITION_HEADER = 'millrace-position';

/** What every route is given. */
export class HttpContext {
  readonly ports: HttpPorts;
  readonly limits: HttpLimits;
  readonly subscriptions: Subscriptions;
  readonly #waiting = new Set<() => void>();
  #closing = false;

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
    const common = commonEnd(this.ports.log, log);
    // a log that was restored has the records of its ancestor up to the backup
    if (common === null || seq > common) {
      throw new MillraceError('position_foreign', 'this position belongs to another log', {
        hint:
          common === null
            ? 'the server has a new data folder, or the position comes from another server'
            : 'the log was put back from a backup that was made before: read without it, and send again what is missing',
      });
    }
    return seq;
  }

  stand(reply: FastifyReply, seq: number): string {
    const token = this.token(seq);
    reply.header(POSITION_HEADER, token);
    return token;
  }

  /**
   * Waits until the views have reached the position that `after` asks for, and returns it (0: none asked for); throws
   * `view_behind` when they do not.
   */
  async freshness(params: QueryParams): Promise<number> {
    const { views } = this.ports;
    const after = params.text('after');
    const wait = params.duration('wait', this.limits.wait) ?? DEFAULT_WAIT;
    if (after === null) return 0;
    const seq = this.sequence(after);
    if (views.position() >= seq) return seq;
    if (await this.orClosed(views.waitFor(seq, wait))) return seq;
    const position = views.position();
    throw new MillraceError('view_behind', `the views are ${seq - position} records behind`, {
      hint: 'ask again in a moment, or wait longer: ?wait=10s',
      data: { asked: after, position: this.token(position), behind: seq - position },
    });
  }

  /** Throws `overloaded` when the server closes. */
  checkOpen(): void {
    if (this.#closing) throw new MillraceError('overloaded', 'the server is stopping');
  }

  /** Ends what would keep the server from closing: requests that wait, and streams. */
  close(): void {
    this.#closing = true;
    for (const cancel of [...this.#waiting]) cancel();
    this.subscriptions.close();
  }

  /** The answer of a wait, which the closing of the server cuts short. */
  async orClosed<T>(wait: Promise<T>): Promise<T> {
    const { promise: closed, resolve } = Promise.withResolvers<null>();
    const cancel = () => resolve(null);
    this.#waiting.add(cancel);
    try {
      const answer = await Promise.race([wait, closed]);
      if (answer === null) this.checkOpen();
      return answer as T;
    } finally {
      this.#waiting.delete(cancel);
    }
  }
}
