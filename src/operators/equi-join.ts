import type { Batch } from '../core/batch.ts';
import { Op } from '../core/change.ts';
import type { Column, Schema } from '../core/schema.ts';
import type { Row } from '../core/value.ts';
import { rowAt } from '../core/vec.ts';
import { type Closure, compileExpr } from '../expr/closure.ts';
import type { Expr } from '../expr/expr.ts';
import type { EvalContext } from '../expr/functions.ts';
import { rowKey } from '../expr/value-key.ts';
import type { EquiJoinNode } from '../plan/plan.ts';
import { ChangeBuilder } from './change-builder.ts';
import { type PortReader, readPorts } from './merged-ports.ts';
import { clockAt, type Epoch, type Operator, type OperatorContext } from './operator.ts';
import { RowContext } from './row-context.ts';

const LEFT = 0;
const RIGHT = 1;

/** One row of a side, kept for as long as the relation has it. */
interface Entry {
  readonly port: number;
  readonly row: Row;
  readonly rowtime: number;
  /** null: a NULL among its keys, it meets nothing */
  readonly key: string | null;
  readonly text: string;
  /** how many rows it meets */
  met: number;
}

type SideState = readonly Entry[];

/**
 * d(A * B), one change at a time: dA * B, then A' * dB. A row of a preserved side has its null row while `met` is 0. The
 * contract stands on {@link EquiJoinNode}.
 */
export class EquiJoin implements Operator, PortReader {
  readonly id: string;
  readonly #sides: readonly [Side, Side];
  readonly #condition: Condition | null;
  readonly #out: ChangeBuilder;
  readonly #nulls: readonly [Row, Row];
  readonly #ledger: Ledger;
  #epoch: Epoch | null = null;

  constructor(node: EquiJoinNode, context: OperatorContext) {
    this.id = node.id;
    this.#ledger = new Ledger(context);
    const quiet = this.#ledger.context;
    const left = node.type === 'left' || node.type === 'full';
    const right = node.type === 'right' || node.type === 'full';
    this.#sides = [
      new Side({ schema: node.left.schema, keys: node.leftKeys, preserved: left, context: quiet }),
      new Side({ schema: node.right.schema, keys: node.rightKeys, preserved: right, context: quiet }),
    ];
    this.#nulls = [node.left.schema.columns.map(() => null), node.right.schema.columns.map(() => null)];
    this.#condition = node.condition === null ? null : new Condition(node.condition, quiet);
    this.#out = new ChangeBuilder(node.schema);
  }

  step(epoch: Epoch, inputs: readonly (readonly Batch[])[]): readonly Batch[] {
    this.#epoch = epoch;
    readPorts(inputs, [LEFT, RIGHT], this);
    const out = this.#out.take();
    return out === null ? [] : [out];
  }

  begin(): void {}

  settle(): void {}

  take(port: number, batch: Batch, i: number): void {
    const seq = batch.seq[i] as number;
    const side = this.#side(port);
    const row = rowAt(batch, i);
    if (batch.op?.[i] === Op.RETRACT) this.#retract(side.remove(row), seq);
    else {
      const key = side.keyOf(this.#epoch as Epoch, batch, i);
      const rowtime = batch.rowtime[i] as number;
      this.#add({ port, row, rowtime, key, text: side.text(row), met: 0 }, seq);
    }
  }

  #add(entry: Entry, seq: number): void {
    const own = this.#side(entry.port);
    const other = this.#side(1 - entry.port);
    for (const partner of this.#partners(entry, seq)) {
      if (other.preserved && partner.met === 0) this.#pushNull(Op.RETRACT, partner, seq);
      partner.met++;
      entry.met++;
      this.#push(Op.ADD, entry, partner, seq);
    }
    own.insert(entry);
    if (own.preserved && entry.met === 0) this.#pushNull(Op.ADD, entry, seq);
  }

  #retract(entry: Entry | undefined, seq: number): void {
    if (entry === undefined) return;
    const other = this.#side(1 - entry.port);
    this.#ledger.silent = true;
    const partners = this.#partners(entry, seq);
    this.#ledger.silent = false;
    for (const partner of partners) {
      this.#push(Op.RETRACT, entry, partner, seq);
      partner.met--;
      if (other.preserved && partner.met === 0) this.#pushNull(Op.ADD, partner, seq);
    }
    if (this.#side(entry.port).preserved && entry.met === 0) this.#pushNull(Op.RETRACT, entry, seq);
  }

  #partners(entry: Entry, seq: number): readonly Entry[] {
    const found = this.#side(1 - entry.port).meeting(entry.key);
    const condition = this.#condition;
    if (condition === null || found.length === 0) return found;
    const now = clockAt(this.#epoch as Epoch, seq);
    return found.filter(partner => {
      const rowtime = Math.max(entry.rowtime, partner.rowtime);
      return condition.holds(joined(entry, partner), { rowtime, seq, now });
    });
  }

  #side(port: number): Side {
    return this.#sides[port as 0 | 1];
  }

  #push(op: Op, entry: Entry, partner: Entry, seq: number): void {
    this.#out.push(op, seq, Math.max(entry.rowtime, partner.rowtime), joined(entry, partner));
  }

  #pushNull(op: Op, { port, row, rowtime }: Entry, seq: number): void {
    const [noLeft, noRight] = this.#nulls;
    this.#out.push(op, seq, rowtime, port === LEFT ? [...row, ...noRight] : [...noLeft, ...row]);
  }

  deadline(): number | null {
    return null;
  }

  state(): readonly [SideState, SideState] {
    return [this.#sides[LEFT].state(), this.#sides[RIGHT].state()];
  }

  load(state: unknown): void {
    const [left, right] = state as readonly [SideState, SideState];
    this.#sides[LEFT].load(left);
    this.#sides[RIGHT].load(right);
  }

  size(): { readonly rows: number; readonly bytes: number } {
    const [left, right] = this.#sides;
    return { rows: left.rows + right.rows, bytes: left.bytes + right.bytes };
  }
}

function joined(entry: Entry, partner: Entry): Row {
  return entry.port === LEFT ? [...entry.row, ...partner.row] : [...partner.row, ...entry.row];
}

interface SideOptions {
  readonly schema: Schema;
  readonly keys: readonly Expr[];
  readonly preserved: boolean;
  readonly context: OperatorContext;
}

/** The rows of one side: by whole row in order of arrival, and by key. */
class Side {
  readonly preserved: boolean;
  readonly text: (row: Row) => string;
  readonly #columns: number;
  readonly #rows: RowContext;
  readonly #keys: readonly Closure[];
  readonly #keyText: (row: Row) => string;
  readonly #byText = new Map<string, Entry[]>();
  readonly #byKey = new Map<string, Set<Entry>>();
  rows = 0;

  constructor({ schema, keys, preserved, context }: SideOptions) {
    this.preserved = preserved;
    this.#columns = schema.columns.length;
    this.text = rowKey(schema.columns.map((c: Column) => c.type));
    this.#rows = new RowContext(context, schema, keys);
    this.#keys = keys.map(key => this.#rows.compile(key));
    this.#keyText = rowKey(keys.map(key => key.type));
  }

  keyOf(epoch: Epoch, batch: Batch, i: number): string | null {
    const row = this.#rows.load(epoch, batch, i);
    const values = this.#keys.map(key => key(row, this.#rows));
    return values.includes(null) ? null : this.#keyText(values);
  }

  meeting(key: string | null): readonly Entry[] {
    const found = key === null ? undefined : this.#byKey.get(key);
    return found === undefined ? [] : [...found];
  }

  insert(entry: Entry): void {
    this.rows++;
    const equal = this.#byText.get(entry.text);
    if (equal === undefined) this.#byText.set(entry.text, [entry]);
    else equal.push(entry);
    if (entry.key === null) return;
    const same = this.#byKey.get(entry.key);
    if (same === undefined) this.#byKey.set(entry.key, new Set([entry]));
    else same.add(entry);
  }

  /** The last arrived equal row, which goes. */
  remove(row: Row): Entry | undefined {
    const text = this.text(row);
    const equal = this.#byText.get(text);
    const entry = equal?.pop();
    if (entry === undefined) return undefined;
    this.rows--;
    if (equal?.length === 0) this.#byText.delete(text);
    if (entry.key !== null) {
      const same = this.#byKey.get(entry.key);
      same?.delete(entry);
      if (same?.size === 0) this.#byKey.delete(entry.key);
    }
    return entry;
  }

  get bytes(): number {
    return this.rows * (160 + 24 * this.#columns);
  }

  /** In order of arrival within every key and every row; rows with a NULL in their key behind them. */
  state(): SideState {
    const keyless = [...this.#byText.values()].flat().filter(entry => entry.key === null);
    return [...[...this.#byKey.values()].flatMap(same => [...same]), ...keyless];
  }

  load(state: SideState): void {
    this.#byText.clear();
    this.#byKey.clear();
    this.rows = 0;
    for (const entry of state) this.insert({ ...entry });
  }
}

class Condition implements EvalContext {
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
class Ledger {
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
