import { unreachable } from '../../core/assert.ts';
import type { Expression, OrderItem, Query } from '../../sql/ast.ts';
import {
  type Dialect,
  identifierText,
  millisecondsText,
  nameText,
  stringText,
  TITLES,
  typeText,
} from './dialect.ts';
import { callText } from './functions.ts';
import type { Notes } from './notes.ts';

/** What expressions of one SELECT mean beyond their text. */
export interface Scope {
  /** bounds of the window that the SELECT groups by, as texts of instants */
  readonly window: { readonly start: string; readonly end: string } | null;
  isInteger(column: string): boolean;
  /** Flink: a column for the elements of an array, which FROM unnests; null where a call may stand */
  readonly explode: ((array: string) => string) | null;
}

export interface ExpressionOptions {
  readonly dialect: Dialect;
  readonly notes: Notes;
  /** CREATE STREAM and CREATE TABLE: ksqlDB's rules */
  readonly strict: boolean;
  readonly scope: Scope;
  query(query: Query): string;
}

type Kind<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

/** Prints expressions with parentheses wherever precedence could differ between dialects. */
export class ExportedExpressions {
  readonly #options: ExpressionOptions;

  constructor(options: ExpressionOptions) {
    this.#options = options;
  }

  text(e: Expression): string {
    const { dialect, notes } = this.#options;
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
        return `${e.type.toUpperCase()} ${stringText(e.type === 'timestamp' ? e.value.replace('T', ' ') : e.value)}${e.unit === null ? '' : ` ${e.unit}`}`;
      case 'duration':
        return `INTERVAL '${e.amount}' ${e.unit}`;
      case 'unit':
        return e.unit;
      case 'column':
        return this.#column(e);
      case 'star':
        return '*';
      case 'call':
        return this.#call(e);
      case 'lambda':
        return this.#lambda(e);
      case 'unary':
        return e.op === 'not' ? `NOT ${this.operand(e.arg)}` : `${e.op}${this.operand(e.arg)}`;
      case 'binary':
        return this.#binary(e);
      case 'between':
        return `${this.operand(e.arg)} ${not(e)}BETWEEN ${this.operand(e.low)} AND ${this.operand(e.high)}`;
      case 'like':
        return `${this.operand(e.arg)} ${not(e)}LIKE ${this.operand(e.pattern)}${e.escape ? ` ESCAPE ${this.operand(e.escape)}` : ''}`;
      case 'in':
        return `${this.operand(e.arg)} ${not(e)}IN (${'body' in e.list ? this.#options.query(e.list) : this.list(e.list)})`;
      case 'any':
        return `${this.operand(e.arg)} ${e.op} ANY (${this.#options.query(e.query)})`;
      case 'exists':
        return `EXISTS (${this.#options.query(e.query)})`;
      case 'subquery':
        return `(${this.#options.query(e.query)})`;
      case 'isNull':
        return `${this.operand(e.arg)} IS ${not(e)}NULL`;
      case 'isTruth':
        return `${this.operand(e.arg)} IS ${not(e)}${e.truth ? 'TRUE' : 'FALSE'}`;
      case 'case':
        return this.#case(e);
      case 'cast':
        return `CAST(${this.text(e.arg)} AS ${typeText(e.type, dialect, notes)})`;
      case 'field': {
        const arg =
          dialect === 'flink' && e.arg.kind !== 'call' ? this.operand(e.arg) : `(${this.text(e.arg)})`;
        return `${arg}.${identifierText(e.name, dialect)}`;
      }
      case 'subscript':
        return this.#subscript(e);
      case 'array':
        return dialect === 'duckdb' ? `[${this.list(e.items)}]` : `ARRAY[${this.list(e.items)}]`;
      case 'map':
        return this.#map(e);
      case 'struct':
        return this.#struct(e);
      case 'extract':
        return `EXTRACT(${e.part} FROM ${this.text(e.arg)})`;
      default:
        return unreachable(e);
    }
  }

  list(expressions: readonly Expression[]): string {
    return expressions.map(e => this.text(e)).join(', ');
  }

  order(items: readonly OrderItem[]): string {
    const one = (i: OrderItem) =>
      this.text(i.expression) +
      (i.descending ? ' DESC' : '') +
      (i.nulls ? ` NULLS ${i.nulls.toUpperCase()}` : '');
    return items.map(one).join(', ');
  }

  /** in parentheses unless nothing can come between */
  operand(e: Expression): string {
    const open = ['unary', 'binary', 'between', 'like', 'in', 'isNull', 'isTruth', 'lambda'].includes(e.kind);
    const signed = e.kind === 'number' && e.text.startsWith('-');
    return open || signed ? `(${this.text(e)})` : this.text(e);
  }

  isInteger(e: Expression): boolean {
    switch (e.kind) {
      case 'number':
        return /^\d+$/.test(e.text);
      case 'column':
        return (
          /^(ROWTIME|WINDOWSTART|WINDOWEND)$/i.test(e.name.name) || this.#options.scope.isInteger(e.name.name)
        );
      case 'unary':
        return this.isInteger(e.arg);
      case 'binary':
        return '+-*/%'.includes(e.op) && this.isInteger(e.left) && this.isInteger(e.right);
      case 'call':
        return (
          /^(COUNT|COUNT_DISTINCT|LEN|LENGTH|UNIX_DATE|UNIX_TIMESTAMP|DAYS_BETWEEN|ARRAY_LENGTH)$/i.test(
            e.name.name,
          ) ||
          (/^(SUM|MIN|MAX|ABS)$/i.test(e.name.name) && e.args.every(a => this.isInteger(a)))
        );
      case 'cast':
        return e.type.kind === 'named' && /^(INT|INTEGER|BIGINT)$/i.test(e.type.name.name);
      default:
        return false;
    }
  }

  #column(e: Kind<'column'>): string {
    const { dialect, notes, scope } = this.#options;
    const upper = e.name.quoted ? '' : e.name.name.toUpperCase();
    const qualifier = e.qualifier ? `${identifierText(e.qualifier, dialect)}.` : '';
    if (upper === 'ROWTIME') {
      notes.add('rowtime: a TIMESTAMP column of the event time is expected in what is read');
      return millisecondsText(`${qualifier}${nameText('rowtime', dialect)}`, dialect);
    }
    if (scope.window && upper === 'WINDOWSTART') return millisecondsText(scope.window.start, dialect);
    if (scope.window && upper === 'WINDOWEND') return millisecondsText(scope.window.end, dialect);
    if (e.qualifier === null && (upper === 'CURRENT_DATE' || upper === 'CURRENT_TIMESTAMP')) {
      notes.add(
        `${upper} is the clock of the log and changes rows as it moves on; there it is that of the session, when asked`,
      );
      return upper;
    }
    return qualifier + identifierText(e.name, dialect);
  }

  #call(e: Kind<'call'>): string {
    const { dialect, notes, strict, scope } = this.#options;
    const name = e.name.name.toUpperCase();
    if (scope.explode && (name === 'EXPLODE' || name === 'UNNEST') && e.args.length === 1) {
      return scope.explode(this.list(e.args));
    }
    const filter = e.filter ? ` FILTER (WHERE ${this.text(e.filter)})` : '';
    const over = e.over ? ` OVER (${this.#over(e.over)})` : '';
    const distinct = e.distinct ? 'DISTINCT ' : '';
    const by = e.order ? `ORDER BY ${this.order(e.order.items)}` : '';
    const inside = by && !e.order?.within ? ` ${by}` : '';
    const behind = `${by && e.order?.within ? ` WITHIN GROUP (${by})` : ''}${filter}${over}`;
    const text = callText(
      name,
      {
        args: e.args.map(a => this.#argument(a, name)),
        operands: e.args.map(a => this.operand(a)),
        written: e.args,
        strict,
        aggregate: (called, args) => `${called}(${distinct}${args}${inside})${behind}`,
      },
      dialect,
    );
    if (text === null) {
      notes.add(`${e.name.name}(...) has no counterpart in ${TITLES[dialect]}: it is printed as written`);
      return `${e.name.name}(${distinct}${this.list(e.args)}${inside})${behind}`;
    }
    this.#noteCall(name, text);
    return text;
  }

  /** AVG of whole numbers is a whole number in Flink. */
  #argument(arg: Expression, name: string): string {
    const cut = name === 'AVG' && this.#options.dialect === 'flink' && this.isInteger(arg);
    return cut ? `CAST(${this.text(arg)} AS DOUBLE)` : this.text(arg);
  }

  #noteCall(name: string, text: string): void {
    const { dialect, notes } = this.#options;
    const title = TITLES[dialect];
    if (text.includes('rowoffset')) {
      notes.add('rowoffset: a column that orders the rows as the log does is expected in what is read');
    }
    if (name === 'AVG')
      notes.add(`AVG of a DECIMAL is rounded to at least six places; ${title} has its own precision`);
    if (name === 'ROUND') notes.add(`ROUND(-1.5) is -1 in KSQL; ${title} rounds halves away from zero`);
    if (name.startsWith('REGEXP_')) notes.add(`patterns are those of ${title}, groups in replacements too`);
    if (name === 'COLLECT_LIST' || name === 'COLLECT_SET')
      notes.add(`${name} holds the first 1000 values; there it holds all`);
    if (/_BY_OFFSET$/.test(name) && dialect === 'flink')
      notes.add(`${name} follows the order of arrival in Flink`);
  }

  #over(over: NonNullable<Kind<'call'>['over']>): string {
    const parts: string[] = [];
    if (over.partitionBy.length > 0) parts.push(`PARTITION BY ${this.list(over.partitionBy)}`);
    if (over.orderBy.length > 0) parts.push(`ORDER BY ${this.order(over.orderBy)}`);
    if (over.frame !== null) parts.push(over.frame);
    return parts.join(' ');
  }

  #lambda(e: Kind<'lambda'>): string {
    const { dialect, notes } = this.#options;
    const names = e.parameters.map(p => identifierText(p, dialect));
    if (dialect === 'duckdb') return `lambda ${names.join(', ')}: ${this.text(e.body)}`;
    notes.add(`${TITLES[dialect]} has no lambdas: they are printed as written`);
    return `${names.length === 1 ? names[0] : `(${names.join(', ')})`} => ${this.text(e.body)}`;
  }

  #binary(e: Kind<'binary'>): string {
    const { dialect, notes } = this.#options;
    const chained = (x: Expression) =>
      x.kind === 'binary' && x.op === e.op && ['and', 'or', '+', '*', '||'].includes(e.op);
    const test = e.op === 'and' || e.op === 'or';
    const side = (x: Expression, left: boolean) => {
      const bare =
        (left && chained(x)) ||
        // what AND and OR join are tests, which bind more closely everywhere
        (test && (x.kind === 'isNull' || (x.kind === 'binary' && /^[<>=]/.test(x.op))));
      return bare ? this.text(x) : this.operand(x);
    };
    return `${side(e.left, true)} ${this.#operator(e, dialect, notes)} ${side(e.right, false)}`;
  }

  #operator(e: Kind<'binary'>, dialect: Dialect, notes: Notes): string {
    if (e.op === '/' && dialect === 'duckdb') {
      if (this.isInteger(e.left) && this.isInteger(e.right)) return '//';
      notes.add(
        'a quotient is a DOUBLE in DuckDB: where both sides are whole numbers use //, where it is DECIMAL cast it',
      );
    }
    return e.op.toUpperCase();
  }

  #case(e: Kind<'case'>): string {
    const operand = e.operand ? ` ${this.operand(e.operand)}` : '';
    const whens = e.whens.map(w => ` WHEN ${this.text(w.when)} THEN ${this.text(w.then)}`).join('');
    return `CASE${operand}${whens}${e.otherwise ? ` ELSE ${this.text(e.otherwise)}` : ''} END`;
  }

  #subscript(e: Kind<'subscript'>): string {
    const { dialect, notes } = this.#options;
    if (dialect === 'postgres' && e.index.kind === 'string') {
      notes.add('PostgreSQL has no MAP: JSONB takes its place');
      return `(${this.operand(e.arg)} ->> ${this.text(e.index)})`;
    }
    if (dialect !== 'duckdb' && e.index.kind === 'unary') {
      notes.add(`${TITLES[dialect]} does not count subscripts from the end`);
    }
    return `(${this.text(e.arg)})[${this.text(e.index)}]`;
  }

  #map(e: Kind<'map'>): string {
    const { dialect, notes } = this.#options;
    const pairs = (sign: string) =>
      e.entries.map(x => `${this.text(x.key)}${sign} ${this.text(x.value)}`).join(', ');
    if (dialect === 'duckdb') return `MAP {${pairs(':')}}`;
    if (dialect === 'flink') return `MAP[${pairs(',')}]`;
    notes.add('PostgreSQL has no MAP: JSONB takes its place');
    return `jsonb_build_object(${pairs(',')})`;
  }

  #struct(e: Kind<'struct'>): string {
    const { dialect, notes } = this.#options;
    if (dialect === 'duckdb') {
      return `{${e.fields.map(f => `${stringText(f.name.name)}: ${this.text(f.value)}`).join(', ')}}`;
    }
    notes.add(
      `names of fields are lost: ROW(...) of ${TITLES[dialect]} has none; cast it to a type that has`,
    );
    return `ROW(${e.fields.map(f => this.text(f.value)).join(', ')})`;
  }
}

function not(e: { readonly negated: boolean }): string {
  return e.negated ? 'NOT ' : '';
}
