import type { Row } from '../core/value.ts';
import { type Closure, compileExpr } from '../expr/closure.ts';
import type { Expr } from '../expr/expr.ts';
import type { EvalContext } from '../expr/functions.ts';
import type { OperatorContext } from './operator.ts';

/** What must be true of a joined row. */
export class Condition implements EvalContext {
  now = 0;
  rowtime = 0;
  seq = 0;
  readonly zone: string;
  readonly #context: OperatorContext;
  readonly #closure: Closure;

  constructor(expr: Expr, context: OperatorContext) {
    this.zone = context.zone;
    this.#context = context;
    this.#closure = compileExpr(expr, context.functions);
  }

  holds(row: Row, at: { readonly rowtime: number; readonly seq: number; readonly now: number }): boolean {
    this.rowtime = at.rowtime;
    this.seq = at.seq;
    this.now = at.now;
    return this.#closure(row, this) === true;
  }

  fail(message: string): null {
    this.#context.reject('expression_failed', this.seq, message);
    return null;
  }
}

/** What is evaluated again, to take a row away, is not counted again. */
export class Ledger {
  silent = false;
  readonly context: OperatorContext;

  constructor(context: OperatorContext) {
    this.context = {
      ...context,
      reject: (reason, seq, message) => {
        if (!this.silent) context.reject(reason, seq, message);
      },
    };
  }
}
