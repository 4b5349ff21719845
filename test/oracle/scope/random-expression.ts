import { BOOLEAN, type SqlType, typeText } from '../../../src/core/sql-type.ts';
import type { Random } from '../generator/random.ts';
import type { Expr } from './expression.ts';
import { randomAggregateCall, randomCall, randomTableCall } from './function-calls.ts';
import { randomLiteral } from './literals.ts';
import { TEMPLATES } from './templates.ts';
import { fits, TYPES } from './types.ts';

/** Expressions over some columns; of wanted types, as well as a generator can know them. */
export class Expressions {
  readonly #random: Random;
  readonly #columns: readonly Expr[];

  constructor(random: Random, columns: readonly Expr[]) {
    this.#random = random;
    this.#columns = columns;
  }

  of(type: SqlType, depth: number): Expr {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.3)) return this.leaf(type);
    if (random.chance(0.35)) {
      const call = randomCall(random, type, (arg, locals) => this.#with(locals).of(arg, depth - 1));
      if (call !== null) return call;
    }
    const fitting = TEMPLATES.filter(t => t.type === 'T' || fits(t.type, type));
    const { sql, args } = random.of(fitting);
    return { sql, args: args.map(arg => this.of(arg === 'T' ? type : arg, depth - 1)), type };
  }

  /** of any type */
  any(depth: number): Expr {
    return this.#random.chance(0.3) && this.#columns.length > 0
      ? this.#random.of(this.#columns)
      : this.of(this.#random.of(TYPES), depth);
  }

  /** Half of them simple: for these the engine makes code of its own. */
  predicate(depth: number): Expr {
    return this.#random.chance(0.5) ? this.#simplePredicate(depth) : this.of(BOOLEAN, depth);
  }

  /** AND, OR and NOT of columns compared with literals, or asked for NULL. */
  #simplePredicate(depth: number): Expr {
    const random = this.#random;
    const type = BOOLEAN;
    if (depth > 0 && random.chance(0.5)) {
      const sql = random.of([
        '($0 AND $1)',
        '($0 OR $1)',
        '(NOT $0)',
        '(NOT $0)',
        '(CASE WHEN $0 THEN $1 ELSE $2 END)',
      ]);
      const parts = sql.match(/\$\d/g)?.length ?? 0;
      return { sql, args: Array.from({ length: parts }, () => this.#simplePredicate(depth - 1)), type };
    }
    const simple = this.#columns.filter(
      c => c.type.kind !== 'ARRAY' && c.type.kind !== 'MAP' && c.type.kind !== 'STRUCT',
    );
    if (simple.length === 0) return this.leaf(type);
    const column = random.of(simple);
    if (column.type.kind === 'BOOLEAN' && random.chance(0.5)) return column;
    const literal = () => randomLiteral(random, column.type);
    const op = random.of(['=', '<>', '<', '<=', '>', '>=', 'IS NULL', 'IS NOT NULL', 'IN']);
    if (op.startsWith('IS')) return { sql: `($0 ${op})`, args: [column], type };
    if (op === 'IN') return { sql: '($0 IN ($1, $2))', args: [column, literal(), literal()], type };
    return { sql: `($0 ${op} $1)`, args: [column, literal()], type };
  }

  aggregate(depth: number): Expr {
    return randomAggregateCall(this.#random, type => this.of(type, depth));
  }

  table(): Expr {
    return randomTableCall(this.#random, type => this.of(type, 1));
  }

  leaf(type: SqlType): Expr {
    const random = this.#random;
    const fitting = this.#columns.filter(c => fits(c.type, type));
    if (fitting.length > 0 && random.chance(0.9)) return random.of(fitting);
    return (random.chance(0.7) ? this.#fromOther(type) : null) ?? randomLiteral(random, type);
  }

  /** Of a column of another type, so that little is constant. */
  #fromOther(type: SqlType): Expr | null {
    const numbers = ['INT', 'BIGINT', 'DECIMAL', 'DOUBLE'];
    const from = type.kind === 'STRING' || type.kind === 'BOOLEAN' ? [...numbers, 'STRING'] : numbers;
    const fitting = this.#columns.filter(c => from.includes(c.type.kind));
    if (fitting.length === 0) return null;
    const column = this.#random.of(fitting);
    if (type.kind === 'BOOLEAN') {
      const op = this.#random.of(['=', '<>', '<', '>=']);
      return { sql: `($0 ${op} $1)`, args: [column, randomLiteral(this.#random, column.type)], type };
    }
    if (!from.includes(type.kind) && type.kind !== 'STRING') return null;
    return { sql: `CAST($0 AS ${typeText(type)})`, args: [column], type };
  }

  #with(locals: readonly Expr[] | undefined): Expressions {
    return locals === undefined
      ? this
      : new Expressions(this.#random, [...this.#columns, ...locals, ...locals]);
  }
}
