import type {
  Expression,
  GroupBy,
  Identifier,
  Query,
  QueryBody,
  Relation,
  Select,
  SelectItem,
  WindowClause,
  WithinClause,
} from '../ast.ts';
import { ExpressionPrinter } from './expression-printer.ts';
import { durationText, identifierText } from './lexical.ts';

export const expressions = new ExpressionPrinter(queryText);

export function queryText(query: Query): string {
  const parts: string[] = [];
  if (query.with.length > 0) {
    const tables = query.with.map(
      t => `${identifierText(t.name)}${namesText(t.columns)} AS (${queryText(t.query)})`,
    );
    parts.push(`WITH ${tables.join(', ')}`);
  }
  parts.push(bodyText(query.body, 1));
  if (query.orderBy.length > 0) parts.push(`ORDER BY ${expressions.order(query.orderBy)}`);
  if (query.emit) {
    const close = query.emit.closeAfter === null ? '' : ` CLOSE AFTER ${durationText(query.emit.closeAfter)}`;
    parts.push(`EMIT ${query.emit.mode.toUpperCase()}${close}`);
  }
  if (query.limit) parts.push(`LIMIT ${expressions.text(query.limit)}`);
  if (query.offset) parts.push(`OFFSET ${expressions.text(query.offset)}`);
  return parts.join(' ');
}

export function namesText(names: readonly Identifier[]): string {
  return names.length > 0 ? ` (${names.map(identifierText).join(', ')})` : '';
}

export function rowText(row: readonly Expression[]): string {
  return `(${expressions.list(row)})`;
}

/** @param level UNION and EXCEPT are 1, INTERSECT 2, an operand on the right side one more */
function bodyText(body: QueryBody, level: number): string {
  switch (body.kind) {
    case 'select':
      return selectText(body);
    case 'values':
      return `VALUES ${body.rows.map(rowText).join(', ')}`;
    case 'nested':
      return `(${queryText(body.query)})`;
    case 'setOperation': {
      const own = body.op === 'intersect' ? 2 : 1;
      const op = body.op.toUpperCase() + (body.all ? ' ALL' : '');
      const text = `${bodyText(body.left, own)} ${op} ${bodyText(body.right, own + 1)}`;
      return own < level ? `(${text})` : text;
    }
  }
}

function selectText(select: Select): string {
  const parts = [`SELECT ${select.distinct ? 'DISTINCT ' : ''}${select.items.map(itemText).join(', ')}`];
  if (select.from) parts.push(`FROM ${relationText(select.from)}`);
  if (select.window) parts.push(windowText(select.window));
  if (select.where) parts.push(`WHERE ${expressions.text(select.where)}`);
  if (select.groupBy) parts.push(`GROUP BY ${groupText(select.groupBy)}`);
  if (select.partitionBy) parts.push(`PARTITION BY ${keysText(select.partitionBy)}`);
  if (select.having) parts.push(`HAVING ${expressions.text(select.having)}`);
  return parts.join(' ');
}

function itemText(item: SelectItem): string {
  switch (item.kind) {
    case 'all':
      return item.qualifier ? `${identifierText(item.qualifier)}.*` : '*';
    case 'structAll':
      return `${expressions.operand(item.arg)}->*`;
    case 'expression':
      return expressions.text(item.expression) + aliasText(item.alias);
  }
}

function aliasText(alias: Identifier | null): string {
  return alias ? ` AS ${identifierText(alias)}` : '';
}

function keysText(keys: readonly Expression[]): string {
  return keys.length > 0 ? expressions.list(keys) : '()';
}

function groupText(groupBy: GroupBy): string {
  if (groupBy.all) return 'ALL';
  if (groupBy.sets === null) return keysText(groupBy.items);
  const word = groupBy.sets.kind === 'groupingSets' ? 'GROUPING SETS' : groupBy.sets.kind.toUpperCase();
  const sets = `${word} (${groupBy.sets.groups.map(rowText).join(', ')})`;
  return [...groupBy.items.map(e => expressions.text(e)), sets].join(', ');
}

function relationText(relation: Relation): string {
  switch (relation.kind) {
    case 'table':
      return identifierText(relation.name) + aliasText(relation.alias);
    case 'subquery':
      return `(${queryText(relation.query)})${aliasText(relation.alias)}${namesText(relation.columns)}`;
    case 'tableFunction':
      return `${expressions.text(relation.call)}${relation.ordinality ? ' WITH ORDINALITY' : ''}${aliasText(relation.alias)}${namesText(relation.columns)}`;
    case 'join': {
      const right =
        relation.right.kind === 'join' ? `(${relationText(relation.right)})` : relationText(relation.right);
      const type = relation.type === 'inner' ? '' : `${relation.type.toUpperCase()} `;
      const within = relation.within ? ` ${withinText(relation.within)}` : '';
      const on = relation.on ? ` ON ${expressions.text(relation.on)}` : '';
      const using = relation.using.length > 0 ? ` USING${namesText(relation.using)}` : '';
      const natural = relation.natural ? 'NATURAL ' : '';
      return `${relationText(relation.left)} ${natural}${type}JOIN ${right}${within}${on}${using}`;
    }
  }
}

function withinText(within: WithinClause): string {
  const before = durationText(within.before);
  const size = within.before === within.after ? before : `(${before}, ${durationText(within.after)})`;
  return `WITHIN ${size}${within.grace === null ? '' : ` GRACE PERIOD ${durationText(within.grace)}`}`;
}

function windowText(window: WindowClause): string {
  const parts = [window.type === 'session' ? durationText(window.size) : `SIZE ${durationText(window.size)}`];
  if (window.advance !== null) parts.push(`ADVANCE BY ${durationText(window.advance)}`);
  if (window.retention !== null) parts.push(`RETENTION ${durationText(window.retention)}`);
  if (window.grace !== null) parts.push(`GRACE PERIOD ${durationText(window.grace)}`);
  const name = window.name ? `${identifierText(window.name)} ` : '';
  return `WINDOW ${name}${window.type.toUpperCase()} (${parts.join(', ')})`;
}
