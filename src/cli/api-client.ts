import { MillraceError } from '../core/errors.ts';

/** A running server, as its own `server.json` in the data folder describes it. */
export interface ServerAddress {
  readonly url: string;
  readonly token: string | null;
}

/** An answer that is an error: the server's own problem document. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(status: number, problem: Readonly<Record<string, unknown>>) {
    super(typeof problem.detail === 'string' ? problem.detail : `the server answered ${status}`);
    this.status = status;
    this.problem = problem;
  }

  get code(): string {
    return typeof this.problem.code === 'string' ? this.problem.code : String(this.status);
  }

  get hint(): string | undefined {
    return typeof this.problem.hint === 'string' ? this.problem.hint : undefined;
  }
}

export interface ServerEvent {
  readonly event: string;
  readonly id: string | null;
  /** JSON text */
  readonly data: string;
}

interface RequestOptions {
  readonly body?: string | undefined;
  readonly type?: string | undefined;
  readonly accept?: string | undefined;
}

/** HTTP as the command line uses it. */
export class ApiClient {
  readonly #address: ServerAddress;

  constructor(address: ServerAddress) {
    this.#address = address;
  }

  get url(): string {
    return this.#address.url;
  }

  async text(method: string, path: string, options: RequestOptions = {}): Promise<string> {
    const answer = await (await this.#request(method, path, options)).text();
    return answer.replace(/\n$/, '');
  }

  /** For answers without exact numbers only: those are taken as text. */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return JSON.parse(await this.text(method, path, options)) as T;
  }

  /** Server-sent events until the server or the caller ends the stream. */
  async *events(path: string): AsyncGenerator<ServerEvent> {
    const response = await this.#request('GET', path, { accept: 'text/event-stream' });
    if (response.body === null) return;
    let buffered = '';
    const chunks = response.body.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await chunks.next().catch((cause: unknown) => {
          throw new MillraceError('not_found', `the server at ${this.url} has gone`, { cause });
        });
        if (done) return;
        buffered += value;
        const parts = buffered.split('\n\n');
        buffered = parts.pop() ?? '';
        for (const part of parts) {
          const event = parseEvent(part);
          if (event !== null) yield event;
        }
      }
    } finally {
      await chunks.return?.().catch(() => {});
    }
  }

  async #request(method: string, path: string, { body, type, accept }: RequestOptions): Promise<Response> {
    // no connection is kept: the server that is opened for one call closes at once
    const headers: Record<string, string> = { connection: 'close' };
    if (body !== undefined) headers['content-type'] = type ?? 'application/json';
    if (accept !== undefined) headers.accept = accept;
    if (this.#address.token !== null) headers.authorization = `Bearer ${this.#address.token}`;
    let response: Response;
    try {
      response = await fetch(this.#address.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      });
    } catch (cause) {
      throw new MillraceError('not_found', `no server answers at ${this.#address.url}`, {
        hint: 'start one with `npm start`, or name it with --url http://host:port',
        cause,
      });
    }
    if (response.ok) return response;
    throw new ApiProblem(response.status, await problemOf(response));
  }
}

function parseEvent(text: string): ServerEvent | null {
  let event = 'message';
  let id: string | null = null;
  const data: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('event:')) event = line.slice(6).trim();
    else if (line.startsWith('id:')) id = line.slice(3).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  return data.length === 0 ? null : { event, id, data: data.join('\n') };
}

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // not JSON: shown as it is
  }
  return { detail: text.slice(0, 500) };
}
