import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { MillraceError } from '../core/errors.ts';
import type { HttpOptions } from './ports.ts';

/** Who may ask at all: decided from the headers alone, before anything else of a request is read. */
export class AccessGuard {
  readonly #loopback: boolean;
  readonly #token: Buffer | null;
  /** the last name that was well: nearly all requests have the same */
  #lastHost: string | null = null;

  /** Throws `config_invalid` when the host is reachable from elsewhere and there is no token. */
  constructor({ host, token }: Pick<HttpOptions, 'host' | 'token'>) {
    this.#loopback = isLoopback(host);
    if (!this.#loopback && !token) {
      throw new MillraceError(
        'config_invalid',
        `"${host}" is reachable from other machines: a token is required`,
        {
          hint: 'set MILLRACE_TOKEN, or listen on 127.0.0.1',
        },
      );
    }
    this.#token = token ? digest(token) : null;
  }

  /** Throws `forbidden` or `unauthorized`. `open`: the route is for everyone who reaches the server. */
  check(headers: IncomingHttpHeaders, open: boolean): void {
    // A page of a stranger whose name was made to point here is stopped by the name that it asked for,
    if (this.#loopback && headers.host !== this.#lastHost && !isLoopback(hostName(headers.host ?? ''))) {
      throw new MillraceError(
        'forbidden',
        `this server does not answer to the name "${shown(headers.host)}"`,
        {
          hint: 'ask for localhost or 127.0.0.1',
        },
      );
    }
    this.#lastHost = headers.host ?? null;
    // and one that asks across origins, which needs no answer to do harm, by what the browser says of it.
    const { origin } = headers;
    if (origin !== undefined && !this.#isOwnOrigin(origin, headers.host ?? '')) {
      throw new MillraceError('forbidden', `pages of "${shown(origin)}" may not use this server`);
    }
    if (open || this.#token === null) return;
    const [, given] = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (given === undefined || !timingSafeEqual(digest(given), this.#token)) {
      throw new MillraceError('unauthorized', 'this server requires a bearer token', {
        hint: 'send the header Authorization: Bearer ...',
      });
    }
  }

  #isOwnOrigin(origin: string, host: string): boolean {
    let url: URL;
    try {
      url = new URL(origin);
    } catch {
      return false;
    }
    return url.host === host || (this.#loopback && isLoopback(hostName(url.host)));
  }
}

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    name === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(name)
  );
}

/** The name in a Host header, without its port. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '');
}

/** Equal lengths for the comparison, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function shown(text: string | undefined): string {
  return (text ?? '').slice(0, 80);
}
