import type { Value } from '../../core/value.ts';
import type { ScalarFunction } from '../functions.ts';
import { overload, scalar } from './define.ts';
import { parseUri, type Uri } from './uri.ts';

const category = 'URL';

export const urlFunctions: readonly ScalarFunction[] = [
  scalar(
    {
      name: 'URL_ENCODE_PARAM',
      category,
      description: 'The string escaped for a query parameter; a space becomes +.',
    },
    overload<[string]>('(STRING) -> STRING', ([text]) => {
      return encodeURIComponent(text.toWellFormed())
        .replace(/[!'()~]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
        .replaceAll('%20', '+');
    }),
  ),
  scalar(
    {
      name: 'URL_DECODE_PARAM',
      category,
      description: 'The string with + and %xx of a query parameter decoded.',
    },
    overload<[string]>('(STRING) -> STRING', ([text], ctx) => {
      return (
        decoded(text.replaceAll('+', ' ')) ?? ctx.fail('URL_DECODE_PARAM: a % without two hexadecimal digits')
      );
    }),
  ),
  part('URL_EXTRACT_FRAGMENT', 'STRING', 'The decoded fragment, what follows #', uri =>
    lenient(uri.fragment),
  ),
  part('URL_EXTRACT_HOST', 'STRING', 'The host name', uri => uri.host),
  part('URL_EXTRACT_PATH', 'STRING', 'The decoded path, empty when there is none', uri => lenient(uri.path)),
  part('URL_EXTRACT_PORT', 'INT', 'The port that is written in it', uri => uri.port),
  part('URL_EXTRACT_PROTOCOL', 'STRING', 'The protocol, such as https', uri => uri.scheme),
  part('URL_EXTRACT_QUERY', 'STRING', 'The decoded query, what stands between ? and #', uri =>
    lenient(uri.query),
  ),
  scalar(
    {
      name: 'URL_EXTRACT_PARAMETER',
      category,
      description:
        'The decoded value of a query parameter of a URL; empty when it has none, NULL when it is not there.',
    },
    overload<[string, string]>('(STRING, STRING) -> STRING', ([text, name]) => {
      const query = parseUri(text)?.query ?? null;
      if (query === null) return null;
      for (const pair of query.split('&')) {
        const at = pair.indexOf('=');
        if (lenient(at < 0 ? pair : pair.slice(0, at)) === name)
          return lenient(at < 0 ? '' : pair.slice(at + 1));
      }
      return null;
    }),
  ),
];

function part(name: string, type: string, what: string, of: (uri: Uri) => Value | null): ScalarFunction {
  return scalar(
    { name, category, description: `${what} of a URL; NULL when it is no valid URL or has none.` },
    overload<[string]>(`(STRING) -> ${type}`, ([text]) => {
      const uri = parseUri(text);
      return uri ? of(uri) : null;
    }),
  );
}

/** null: a % that begins no escape. Bytes that are no UTF-8 become U+FFFD. */
function decoded(text: string): string | null {
  if (!text.includes('%')) return text;
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return null;
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, run =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

function lenient(text: string | null): string | null {
  return text === null ? null : (decoded(text) ?? text);
}
