/** The parts of a URI as they are written, escapes included; null where a part is not there. */
export interface Uri {
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  /** null for URIs such as mailto:a@b, which have no path */
  readonly path: string | null;
  readonly query: string | null;
  readonly fragment: string | null;
}

// RFC 3986, appendix B
const PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
// White space, controls and the characters that RFC 2396 excludes; other Unicode is let through.
const EXCLUDED = /[\s<>"{}|\\^`\p{Cc}]/u;
const SERVER = /^(?:[^@]*@)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])(?::(\d*))?$/;

/** null: the text is no URI. */
export function parseUri(text: string): Uri | null {
  if (EXCLUDED.test(text) || /%(?![0-9a-fA-F]{2})/.test(text)) return null;
  const match = PARTS.exec(text);
  if (!match) return null;
  const [, scheme, authority, path = '', query, fragment] = match;
  if (scheme !== undefined && !/^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme)) return null;
  if (/#/.test(fragment ?? '')) return null;
  const opaque = scheme !== undefined && authority === undefined && !path.startsWith('/');
  if (opaque && path === '') return null;
  const server = authority === undefined ? null : SERVER.exec(authority);
  const port = server?.[2] ? Number(server[2]) : null;
  return {
    scheme: scheme ?? null,
    host: server?.[1] ?? null,
    port: port !== null && port <= 2 ** 31 - 1 ? port : null,
    path: opaque ? null : path,
    query: opaque ? null : (query ?? null),
    fragment: fragment ?? null,
  };
}
