import type { Query } from './ast.ts';

/** The queries inside of a part of the tree, outermost ones only, in order of mention. */
export function queriesIn(part: unknown, found: Query[] = []): readonly Query[] {
  if (Array.isArray(part)) for (const each of part) queriesIn(each, found);
  else if (isQuery(part)) found.push(part);
  else if (typeof part === 'object' && part !== null) {
    for (const each of Object.values(part)) queriesIn(each, found);
  }
  return found;
}

function isQuery(part: unknown): part is Query {
  return typeof part === 'object' && part !== null && 'with' in part && 'body' in part;
}
