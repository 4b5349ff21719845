import type { FunctionRegistry } from '../../expr/registry.ts';
import type { Expression, Select, SelectItem } from '../ast.ts';
import type { Problems } from './problems.ts';

const CONSTANTS: readonly Expression['kind'][] = ['number', 'string', 'boolean', 'null', 'typedLiteral'];

/** GROUP BY ALL written out: all expressions of the select list in which no aggregate and no window function stands. */
export function groupedByAll(
  select: Select,
  { functions, problems }: { readonly functions: FunctionRegistry; readonly problems: Problems },
): Select {
  const { groupBy } = select;
  if (!groupBy?.all) return select;
  const items = select.items.flatMap((item: SelectItem): readonly Expression[] => {
    if (item.kind !== 'expression') {
      throw problems.error(
        'invalid_statement',
        item.span,
        'GROUP BY ALL groups by what is written out in the select list, which * is not',
        'name the columns',
      );
    }
    const { expression } = item;
    // a number would be a position
    return CONSTANTS.includes(expression.kind) || aggregates(expression, functions) ? [] : [expression];
  });
  const { span } = groupBy;
  return { ...select, groupBy: items.length === 0 ? null : { items, sets: null, span } };
}

function aggregates(part: unknown, functions: FunctionRegistry): boolean {
  if (Array.isArray(part)) return part.some(each => aggregates(each, functions));
  if (typeof part !== 'object' || part === null || 'body' in part) return false;
  if ('kind' in part && part.kind === 'call') {
    const call = part as Extract<Expression, { kind: 'call' }>;
    if (call.over || functions.find(call.name.name)?.kind === 'aggregate') return true;
  }
  return Object.values(part).some(each => aggregates(each, functions));
}
