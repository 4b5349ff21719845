import type { Identifier, Query, QueryBody, Relation } from '../sql/ast.ts';
import { queriesIn } from '../sql/queries-in.ts';

/** The relations that a query names in FROM, in order of mention, common tables of its own left out. */
export function relationsNamed(query: Query): readonly Identifier[] {
  const found: Identifier[] = [];
  ofQuery(query, new Set(), found);
  return found;
}

function ofQuery(query: Query, outer: ReadonlySet<string>, found: Identifier[]): void {
  const own = new Set(outer);
  for (const common of query.with) {
    ofQuery(common.query, own, found);
    own.add(common.name.name.toUpperCase());
  }
  ofBody(query.body, own, found);
}

function ofBody(body: QueryBody, own: ReadonlySet<string>, found: Identifier[]): void {
  switch (body.kind) {
    case 'select': {
      if (body.from) ofRelation(body.from, own, found);
      const { items, where, groupBy, having } = body;
      for (const query of queriesIn([items, where, groupBy, having])) ofQuery(query, own, found);
      return;
    }
    case 'setOperation':
      ofBody(body.left, own, found);
      ofBody(body.right, own, found);
      return;
    case 'nested':
      ofQuery(body.query, own, found);
      return;
    case 'values':
      return;
  }
}

function ofRelation(relation: Relation, own: ReadonlySet<string>, found: Identifier[]): void {
  switch (relation.kind) {
    case 'table':
      if (!own.has(relation.name.name.toUpperCase())) found.push(relation.name);
      return;
    case 'subquery':
      ofQuery(relation.query, own, found);
      return;
    case 'join':
      ofRelation(relation.left, own, found);
      ofRelation(relation.right, own, found);
      return;
    case 'tableFunction':
      return;
  }
}
