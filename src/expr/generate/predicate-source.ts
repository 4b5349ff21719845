import type { Vec } from '../../core/batch.ts';
import { type SqlType, sameType } from '../../core/sql-type.ts';
import type { Value } from '../../core/value.ts';
import { vecKind } from '../../core/vec.ts';
import type { CompareOp, Expr } from '../expr.ts';
import { sameText } from './same-text.ts';

/** A number during a row: source texts of whether it is NULL and of its value. */
interface NumberSource {
  readonly isNull: string;
  readonly value: string;
  /** may be NaN, which is above all other numbers */
  readonly mayBeNaN: boolean;
}

const EXACT = BigInt(Number.MAX_SAFE_INTEGER);
const OPERATORS: Partial<Record<CompareOp, string>> = {
  '=': '===',
  '<>': '!==',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

/**
 * Builds the statements of a predicate. A truth is the name of a variable that holds 0 false, 1 true, 2 NULL. All parts
 * are free of effects, so both sides of AND and OR are always computed.
 */
export class PredicateSource {
  readonly statements: string[] = [];
  readonly constants: unknown[] = [];
  readonly #columns = new Map<number, Vec['t']>();
  #variables = 0;

  /** columns that are read, and how they must be stored */
  get columns(): readonly { readonly index: number; readonly kind: Vec['t'] }[] {
    return [...this.#columns].map(([index, kind]) => ({ index, kind }));
  }

  /** The truth of a BOOLEAN expression, or null when it is not covered. */
  truth(expr: Expr): string | null {
    switch (expr.node) {
      case 'literal':
        return expr.value === null ? '2' : expr.value === true ? '1' : '0';
      case 'column':
        return this.#booleanColumn(expr);
      case 'compare':
        return this.#compare(expr);
      case 'and':
        return this.#both(
          expr.left,
          expr.right,
          (a, b) => `${a} === 0 || ${b} === 0 ? 0 : ${a} & ${b} & 1 ? 1 : 2`,
        );
      case 'or':
        return this.#both(
          expr.left,
          expr.right,
          (a, b) => `${a} === 1 || ${b} === 1 ? 1 : ${a} === 0 && ${b} === 0 ? 0 : 2`,
        );
      case 'not': {
        const arg = this.truth(expr.arg);
        return arg === null ? null : this.#keep(`${arg} === 2 ? 2 : 1 - ${arg}`);
      }
      case 'isNull': {
        const isNull = this.#isNull(expr.arg);
        return isNull === null ? null : this.#keep(`(${isNull}) ${expr.negated ? '? 0 : 1' : '? 1 : 0'}`);
      }
      case 'in':
        return this.#in(expr);
      case 'case':
        return this.#case(expr);
      default:
        return null;
    }
  }

  #keep(source: string): string {
    const name = `t${this.#variables++}`;
    this.statements.push(`const ${name} = ${source};`);
    return name;
  }

  #constant(value: unknown): string {
    return `k[${this.constants.push(value) - 1}]`;
  }

  #both(left: Expr, right: Expr, join: (a: string, b: string) => string): string | null {
    const a = this.truth(left);
    const b = a === null ? null : this.truth(right);
    return a === null || b === null ? null : this.#keep(join(a, b));
  }

  #column(index: number, type: SqlType): Vec['t'] {
    const kind = vecKind(type);
    this.#columns.set(index, kind);
    return kind;
  }

  /** Whether the column is NULL in row i. */
  #nullOf(index: number, type: SqlType): string {
    if (this.#column(index, type) === 'val') return `(v${index}[i] ?? null) === null`;
    return `n${index} !== null && ((n${index}[i >>> 5] >>> (i & 31)) & 1) === 1`;
  }

  #isNull(expr: Expr): string | null {
    return expr.node === 'column' ? this.#nullOf(expr.index, expr.type) : null;
  }

  #booleanColumn({ index, type }: Extract<Expr, { node: 'column' }>): string | null {
    if (type.kind !== 'BOOLEAN') return null;
    return this.#keep(`(${this.#nullOf(index, type)}) ? 2 : v${index}[i]`);
  }

  #number(expr: Expr): NumberSource | null {
    if (expr.node === 'literal') return this.#numberLiteral(expr.value);
    if (expr.node === 'cast') return widens(expr.arg.type, expr.type) ? this.#number(expr.arg) : null;
    if (expr.node !== 'column') return null;
    const { index, type } = expr;
    switch (this.#column(index, type)) {
      case 'i32':
        return { isNull: this.#nullOf(index, type), value: `v${index}[i]`, mayBeNaN: false };
      case 'f64':
        return { isNull: this.#nullOf(index, type), value: `v${index}[i]`, mayBeNaN: type.kind === 'DOUBLE' };
      case 'i64':
        // exact below 2^53, and beyond it on the right side of every exact literal
        return {
          isNull: this.#nullOf(index, type),
          value: `(w${index}[i * 2 + 1] * 4294967296 + (w${index}[i * 2] >>> 0))`,
          mayBeNaN: false,
        };
      default:
        return null;
    }
  }

  #numberLiteral(value: Value | null): NumberSource | null {
    if (value === null) return { isNull: 'true', value: '0', mayBeNaN: false };
    if (typeof value === 'bigint' && value <= EXACT && value >= -EXACT) {
      return { isNull: 'false', value: this.#constant(Number(value)), mayBeNaN: false };
    }
    if (typeof value !== 'number' || Number.isNaN(value)) return null;
    return { isNull: 'false', value: this.#constant(value), mayBeNaN: false };
  }

  #compare({ op, left, right }: Extract<Expr, { node: 'compare' }>): string | null {
    const operator = OPERATORS[op];
    if (operator === undefined || !sameType(left.type, right.type)) return null;
    if (left.type.kind === 'STRING') return this.#compareText(op, left, right);
    if (right.node !== 'literal' && (isWide(left) || isWide(right))) return null;
    if (left.type.kind === 'BOOLEAN') return null;
    const a = this.#number(left);
    const b = a === null ? null : this.#number(right);
    if (a === null || b === null || b.mayBeNaN) return null;
    // NaN is above every number, where JavaScript says false
    const above = a.mayBeNaN && (op === '>' || op === '>=') ? ` || ${a.value} !== ${a.value}` : '';
    const holds = `${a.value} ${operator} ${b.value}${above}`;
    return this.#keep(`(${a.isNull}) || (${b.isNull}) ? 2 : (${holds}) ? 1 : 0`);
  }

  #compareText(op: CompareOp, left: Expr, right: Expr): string | null {
    if (op !== '=' && op !== '<>') return null;
    const equal = this.#equalText(left, right);
    if (equal === null || left.node !== 'column') return null;
    const [yes, no] = op === '=' ? [1, 0] : [0, 1];
    return this.#keep(`(${this.#nullOf(left.index, left.type)}) ? 2 : ${equal} ? ${yes} : ${no}`);
  }

  /** Whether a STRING column that is not NULL is a literal. */
  #equalText(left: Expr, right: Expr): string | null {
    if (left.node !== 'column' || right.node !== 'literal') return null;
    if (typeof right.value !== 'string' || !right.value.isWellFormed()) return null;
    this.#column(left.index, left.type);
    const same = this.#constant(sameText(right.value));
    return `${same}(p${left.index}, v${left.index}[i])`;
  }

  #in({ arg, list, negated }: Extract<Expr, { node: 'in' }>): string | null {
    if (
      arg.node !== 'column' ||
      !list.every(item => item.node === 'literal' && sameType(item.type, arg.type))
    ) {
      return null;
    }
    const values = list.filter(item => item.node === 'literal' && item.value !== null);
    const tests = values.map(item => this.#equals(arg, item));
    if (tests.includes(null)) return null;
    const [yes, no] = negated ? [0, 1] : [1, 0];
    const otherwise = values.length < list.length ? 2 : no;
    const any = tests.length === 0 ? 'false' : tests.join(' || ');
    return this.#keep(`(${this.#nullOf(arg.index, arg.type)}) ? 2 : (${any}) ? ${yes} : ${otherwise}`);
  }

  #equals(left: Expr, right: Expr): string | null {
    if (left.type.kind === 'STRING') return this.#equalText(left, right);
    if (left.type.kind === 'BOOLEAN') return null;
    const a = this.#number(left);
    const b = a === null ? null : this.#number(right);
    return a === null || b === null ? null : `${a.value} === ${b.value}`;
  }

  #case({ whens, otherwise }: Extract<Expr, { node: 'case' }>): string | null {
    const branches: string[] = [];
    for (const { when, then } of whens) {
      const condition = this.truth(when);
      const result = condition === null ? null : this.truth(then);
      if (condition === null || result === null) return null;
      branches.push(`${condition} === 1 ? ${result} : `);
    }
    const last = otherwise === null ? '2' : this.truth(otherwise);
    return last === null ? null : this.#keep(`${branches.join('')}${last}`);
  }
}

/** 64-bit columns are read as doubles: right only beside a literal. */
function isWide(expr: Expr): boolean {
  return vecKind(expr.type) === 'i64';
}

function widens(from: SqlType, to: SqlType): boolean {
  return from.kind === 'INT' && (to.kind === 'BIGINT' || to.kind === 'DOUBLE');
}
