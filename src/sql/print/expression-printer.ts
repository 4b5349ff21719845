import { unreachable } from '../../core/assert.ts';
import type { BinaryOp, Expression, OrderItem, OverClause, Query } from '../ast.ts';
import { Level } from '../parser/expressions.ts';
import { takesUnitFirst, timeUnit } from '../parser/keywords.ts';
import { amountText, fieldText, identifierText, isBareWord, stringText, typeNameText } from './lexical.ts';

/** What needs no parentheses anywhere. */
const PRIMARY = Level.SIGN + 1;

/** Prints expressions with the fewest parentheses that keep the tree. */
export class ExpressionPrinter {
  readonly #query: (query: Query) => string;

  constructor(query: (query: Query) => string) {
    this.#query = query;
  }

  text(e: Expression): string {
    return this.#at(e, Level.OR);
  }

  list(expressions: readonly Expression[]): string {
    return expressions.map(e => this.text(e)).join(', ');
  }

  order(items: readonly OrderItem[]): string {
    return items
      .map(
        i =>
          this.text(i.expression) +
          (i.descending ? ' DESC' : '') +
          (i.nulls ? ` NULLS ${i.nulls.toUpperCase()}` : ''),
      )
      .join(', ');
  }

  /** what stands before `->*`, `->` and `[` */
  operand(e: Expression): string {
    // `array[1]` reads as an array of one item
    if (e.kind === 'column' && e.qualifier === null && !e.name.quoted && /^array$/i.test(e.name.name)) {
      return `(${this.text(e)})`;
    }
    return this.#at(e, PRIMARY);
  }

  #at(e: Expression, level: number): string {
    return levelOf(e) < level ? `(${this.#bare(e)})` : this.#bare(e);
  }

  #bare(e: Expression): string {
    switch (e.kind) {
      case 'null':
        return 'NULL';
      case 'boolean':
        return e.value ? 'TRUE' : 'FALSE';
      case 'number':
        return e.text;
      case 'string':
        return stringText(e.value);
      case 'typedLiteral':
        return `${e.type.toUpperCase()} ${stringText(e.value)}${e.unit === null ? '' : ` ${e.unit}`}`;
      case 'duration':
        return amountText(e.amount, e.unit);
      case 'unit':
        return e.unit;
      case 'column':
        return (e.qualifier ? `${identifierText(e.qualifier)}.` : '') + identifierText(e.name);
      case 'star':
        return '*';
      case 'call':
        return this.#call(e);
      case 'lambda':
        return this.#lambda(e);
      case 'unary':
        return this.#unary(e);
      case 'binary':
        return this.#binary(e);
      case 'between':
      case 'like':
      case 'in':
      case 'isNull':
      case 'isTruth':
        return this.#predicate(e);
      case 'any':
        return `${this.#at(e.arg, Level.COMPARE + 1)} ${e.op} ANY (${this.#query(e.query)})`;
      case 'exists':
        return `EXISTS (${this.#query(e.query)})`;
      case 'subquery':
        return `(${this.#query(e.query)})`;
      case 'case':
        return this.#case(e);
      case 'cast':
        return `CAST(${this.text(e.arg)} AS ${typeNameText(e.type)})`;
      case 'field':
        return `${this.operand(e.arg)}->${fieldText(e.name)}`;
      case 'subscript':
        return `${this.operand(e.arg)}[${this.text(e.index)}]`;
      case 'array':
        return `ARRAY[${this.list(e.items)}]`;
      case 'map':
        return `MAP(${e.entries.map(x => `${this.text(x.key)} := ${this.text(x.value)}`).join(', ')})`;
      case 'struct':
        return `STRUCT(${e.fields.map(f => `${identifierText(f.name)} := ${this.text(f.value)}`).join(', ')})`;
      case 'extract':
        return `EXTRACT(${e.part} FROM ${this.text(e.arg)})`;
      default:
        return unreachable(e);
    }
  }

  #call(e: Expression & { kind: 'call' }): string {
    const bare = !e.name.quoted && isBareWord(e.name.name) && /^(left|right)$/i.test(e.name.name);
    const name = bare ? e.name.name : identifierText(e.name);
    const args = e.args.map((arg, i) =>
      this.#argument(arg, i === 0 && !e.name.quoted && takesUnitFirst(name.toUpperCase())),
    );
    const filter = e.filter ? ` FILTER (WHERE ${this.text(e.filter)})` : '';
    const over = e.over ? ` OVER (${this.#over(e.over)})` : '';
    const by = e.order ? `ORDER BY ${this.order(e.order.items)}` : '';
    const inside = by && !e.order?.within ? ` ${by}` : '';
    const within = by && e.order?.within ? ` WITHIN GROUP (${by})` : '';
    return `${name}(${e.distinct ? 'DISTINCT ' : ''}${args.join(', ')}${inside})${within}${filter}${over}`;
  }

  #argument(arg: Expression, unitFirst: boolean): string {
    const text = this.text(arg);
    const readsAsUnit =
      unitFirst && arg.kind === 'column' && arg.qualifier === null && timeUnit(text.toUpperCase()) !== null;
    return readsAsUnit ? `(${text})` : text;
  }

  #over(over: OverClause): string {
    const parts: string[] = [];
    if (over.partitionBy.length > 0) parts.push(`PARTITION BY ${this.list(over.partitionBy)}`);
    if (over.orderBy.length > 0) parts.push(`ORDER BY ${this.order(over.orderBy)}`);
    if (over.frame !== null) parts.push(over.frame);
    return parts.join(' ');
  }

  #lambda(e: Expression & { kind: 'lambda' }): string {
    const names = e.parameters.map(identifierText).join(', ');
    return `${e.parameters.length === 1 ? names : `(${names})`} => ${this.text(e.body)}`;
  }

  #unary(e: Expression & { kind: 'unary' }): string {
    if (e.op === 'not') return `NOT ${this.#at(e.arg, Level.NOT)}`;
    // two signs side by side are kept apart: `--` begins a comment
    return e.op + (e.arg.kind === 'unary' ? `(${this.text(e.arg)})` : this.#at(e.arg, Level.SIGN));
  }

  #binary(e: Expression & { kind: 'binary' }): string {
    const level = BINARY_LEVEL[e.op];
    const alone = level === Level.COMPARE;
    const left =
      level === Level.IS
        ? this.#at(e.left, isPostfixTest(e.left) ? Level.IS : Level.IS + 1)
        : this.#at(e.left, alone ? level + 1 : level);
    return `${left} ${e.op.toUpperCase()} ${this.#at(e.right, level + 1)}`;
  }

  #predicate(e: Expression & { kind: 'between' | 'like' | 'in' | 'isNull' | 'isTruth' }): string {
    const not = e.negated ? 'NOT ' : '';
    if (e.kind === 'isNull' || e.kind === 'isTruth') {
      const arg = this.#at(e.arg, isPostfixTest(e.arg) ? Level.IS : Level.IS + 1);
      return `${arg} IS ${not}${e.kind === 'isNull' ? 'NULL' : e.truth ? 'TRUE' : 'FALSE'}`;
    }
    const inner = (x: Expression) => this.#at(x, Level.RANGE + 1);
    const arg = this.#at(e.arg, e.arg.kind === 'in' ? Level.RANGE : Level.RANGE + 1);
    switch (e.kind) {
      case 'between':
        return `${arg} ${not}BETWEEN ${inner(e.low)} AND ${inner(e.high)}`;
      case 'like':
        return `${arg} ${not}LIKE ${inner(e.pattern)}${e.escape ? ` ESCAPE ${inner(e.escape)}` : ''}`;
      case 'in':
        return `${arg} ${not}IN (${'body' in e.list ? this.#query(e.list) : this.list(e.list)})`;
    }
  }

  #case(e: Expression & { kind: 'case' }): string {
    const operand = e.operand ? ` ${this.text(e.operand)}` : '';
    const whens = e.whens.map(w => ` WHEN ${this.text(w.when)} THEN ${this.text(w.then)}`).join('');
    return `CASE${operand}${whens}${e.otherwise ? ` ELSE ${this.text(e.otherwise)}` : ''} END`;
  }
}

const BINARY_LEVEL: Readonly<Record<BinaryOp, number>> = {
  or: Level.OR,
  and: Level.AND,
  '=': Level.COMPARE,
  '<>': Level.COMPARE,
  '<': Level.COMPARE,
  '<=': Level.COMPARE,
  '>': Level.COMPARE,
  '>=': Level.COMPARE,
  'is distinct from': Level.IS,
  'is not distinct from': Level.IS,
  '||': Level.CONCAT,
  '+': Level.ADD,
  '-': Level.ADD,
  '*': Level.MULTIPLY,
  '/': Level.MULTIPLY,
  '%': Level.MULTIPLY,
  'at time zone': Level.AT,
};

function levelOf(e: Expression): number {
  switch (e.kind) {
    case 'binary':
      return BINARY_LEVEL[e.op];
    case 'unary':
      return e.op === 'not' ? Level.NOT : Level.SIGN;
    case 'any':
      return Level.COMPARE;
    case 'isNull':
    case 'isTruth':
      return Level.IS;
    case 'between':
    case 'like':
    case 'in':
      return Level.RANGE;
    default:
      return PRIMARY;
  }
}

/** `a IS NULL IS TRUE` needs no parentheses, `a IS DISTINCT FROM b IS TRUE` does. */
function isPostfixTest(e: Expression): boolean {
  return e.kind === 'isNull' || e.kind === 'isTruth';
}
