import type { Query } from '../ast.ts';
import type { QueryOptions } from './query-context.ts';
import type { ResolvedQuery } from './resolved-query.ts';

export function analyseComplete(query: Query, options: QueryOptions): ResolvedQuery {
  throw options.problems.error('not_supported', query.span, 'full SQL is not supported by this version');
}
