import { parseSync } from 'libpg-query';

/**
 * PostgreSQL's reading of an expression as a fully parenthesised text, or null when it refuses it.
 * Covers what `precedence.test.ts` generates; anything else throws.
 */
export function postgresForm(expression: string): string | null {
  let result: { stmts?: unknown };
  try {
    result = parseSync(`SELECT ${expression}`);
  } catch {
    return null;
  }
  const statement = first(result.stmts);
  const select = at(at(statement, 'stmt'), 'SelectStmt');
  const target = at(first(at(select, 'targetList')), 'ResTarget');
  return form(at(target, 'val'));
}

function form(node: unknown): string {
  const [kind, body] = only(node);
  switch (kind) {
    case 'ColumnRef':
      return text(at(first(at(body, 'fields')), 'String'));
    case 'A_Const':
      return String(at(at(body, 'ival'), 'ival'));
    case 'BoolExpr':
      return boolForm(body);
    case 'A_Expr':
      return operatorForm(body);
    case 'NullTest':
      return `(${form(at(body, 'arg'))} is ${at(body, 'nulltesttype') === 'IS_NULL' ? '' : 'not '}null)`;
    case 'BooleanTest': {
      const test = String(at(body, 'booltesttype')).toLowerCase().replaceAll('_', ' ');
      return `(${form(at(body, 'arg'))} ${test})`;
    }
    case 'FuncCall':
      return callForm(body);
    case 'TypeCast':
      return `cast(${form(at(body, 'arg'))})`;
    case 'A_Indirection': {
      const index = at(at(first(at(body, 'indirection')), 'A_Indices'), 'uidx');
      return `${form(at(body, 'arg'))}[${form(index)}]`;
    }
    case 'CaseExpr': {
      const whens = list(at(body, 'args')).map(w => at(w, 'CaseWhen'));
      const parts = whens.map(w => `when ${form(at(w, 'expr'))} then ${form(at(w, 'result'))}`);
      return `case ${parts.join(' ')} end`;
    }
    default:
      throw new Error(`unexpected node ${kind}`);
  }
}

/** PostgreSQL flattens `a AND b AND c`; it nests to the left. */
function boolForm(body: unknown): string {
  const args = list(at(body, 'args')).map(form);
  const op = at(body, 'boolop');
  if (op === 'NOT_EXPR') return `(not ${args[0]})`;
  return args.reduce((left, right) => `(${left} ${op === 'AND_EXPR' ? 'and' : 'or'} ${right})`);
}

function operatorForm(body: unknown): string {
  const name = text(at(first(at(body, 'name')), 'String'));
  const right = at(body, 'rexpr');
  const left = at(body, 'lexpr');
  if (left === undefined) return `(${name} ${form(right)})`;
  const arg = form(left);
  switch (at(body, 'kind')) {
    case 'AEXPR_OP':
      return `(${arg} ${name} ${form(right)})`;
    case 'AEXPR_DISTINCT':
      return `(${arg} is distinct from ${form(right)})`;
    case 'AEXPR_NOT_DISTINCT':
      return `(${arg} is not distinct from ${form(right)})`;
    case 'AEXPR_LIKE':
      return `(${arg} ${name === '~~' ? '' : 'not '}like ${form(right)})`;
    case 'AEXPR_IN':
      return `(${arg} ${name === '=' ? '' : 'not '}in ${list(at(at(right, 'List'), 'items'))
        .map(form)
        .join(', ')})`;
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN': {
      const bounds = list(at(at(right, 'List'), 'items')).map(form);
      return `(${arg} ${name.toLowerCase()} ${bounds.join(' and ')})`;
    }
    default:
      throw new Error(`unexpected operator ${String(at(body, 'kind'))}`);
  }
}

function callForm(body: unknown): string {
  const name = text(at(list(at(body, 'funcname')).at(-1), 'String'));
  const args = list(at(body, 'args')).map(form);
  if (name === 'timezone') return `(${args[1]} at time zone ${args[0]})`;
  if (name === 'like_escape') return `${args[0]} escape ${args[1]}`;
  return `${name}(${args.join(', ')})`;
}

function at(node: unknown, key: string): unknown {
  return (node as Record<string, unknown> | undefined)?.[key];
}

function list(node: unknown): readonly unknown[] {
  return (node ?? []) as readonly unknown[];
}

function first(node: unknown): unknown {
  return list(node)[0];
}

function text(node: unknown): string {
  return String(at(node, 'sval'));
}

function only(node: unknown): readonly [string, unknown] {
  const entry = Object.entries(node as Record<string, unknown>)[0];
  if (!entry) throw new Error('empty node');
  return entry;
}
