import type { Batch } from '../../src/core/batch.ts';
import { Op } from '../../src/core/change.ts';
import type { Schema } from '../../src/core/schema.ts';
import { BIGINT, BOOLEAN, INT, type SqlType, STRING, TIMESTAMP } from '../../src/core/sql-type.ts';
import type { Row, Value } from '../../src/core/value.ts';
import { batchOf, rowAt, selectedRows } from '../../src/core/vec.ts';
import type { Expr } from '../../src/expr/expr.ts';
import { standardLibrary } from '../../src/expr/library.ts';
import type { Operator, OperatorContext } from '../../src/operators/operator.ts';
import type { PlanNode } from '../../src/plan/plan.ts';

/**
 * Changes as text, one a line: `seq time sign values`. Signs: `+` add, `-` retract, `=` upsert, `x` delete; `~` is NULL and
 * `()` alone a record without value. `#` begins a comment. A line `tick seq clock` moves the clock, a line `--` ends an
 * epoch. The clock is 0 until the first tick. Of an operator of two inputs each line begins with `l` or `r`.
 */
export interface Run {
  readonly output: string;
  readonly rejected: readonly string[];
}

const SIGNS = { '+': Op.ADD, '-': Op.RETRACT, '=': Op.UPSERT, x: Op.DELETE } as const;
const SIGN_OF = ['+', '-', '=', 'x'] as const;

interface Line {
  readonly port: number;
  readonly seq: number;
  readonly clock: number;
  readonly change: {
    readonly time: number;
    readonly op: Op;
    readonly row: Row;
    readonly noValue: boolean;
  } | null;
}

/** The columns `name TYPE, ...`; key columns are marked `KEY`. */
export function schemaOf(text: string, windowed = false): Schema {
  const types: Record<string, SqlType> = { INT, BIGINT, STRING, BOOLEAN, TIMESTAMP };
  const parts = text.split(', ').map(p => p.split(' '));
  return {
    columns: parts.map(([name = '', type = '']) => ({ name, type: types[type] ?? INT })),
    key: parts.flatMap((p, i) => (p[2] === 'KEY' ? [i] : [])),
    windowed,
  };
}

export function column(schema: Schema, name: string): Expr {
  const index = schema.columns.findIndex(c => c.name === name);
  return { node: 'column', type: schema.columns[index]?.type ?? INT, index, name };
}

export function int(value: number): Expr {
  return { node: 'literal', type: INT, value };
}

/** A node below the one under test: only its schema and kind matter. */
export function input(schema: Schema): PlanNode {
  return { node: 'read', id: 'input', schema, view: 'input', kind: 'append' };
}

export function runOperator(
  schema: Schema,
  make: (context: OperatorContext) => Operator,
  text: string,
  options: RunOptions = {},
): Run {
  return run([schema], make, text, options);
}

export function runJoin(
  [left, right]: readonly [Schema, Schema],
  make: (context: OperatorContext) => Operator,
  text: string,
  options: RunOptions = {},
): Run {
  return run([left, right], make, text, options);
}

export interface RunOptions {
  /** after every epoch the state goes into a fresh operator */
  readonly restart?: boolean;
  /** called with the operator after each epoch */
  readonly after?: (operator: Operator) => void;
}

function run(
  schemas: readonly Schema[],
  make: (context: OperatorContext) => Operator,
  text: string,
  { restart = false, after }: RunOptions,
): Run {
  const rejected: string[] = [];
  const context: OperatorContext = {
    functions: standardLibrary,
    zone: 'UTC',
    generatedCode: true,
    reject: (reason, seq) => rejected.push(`${seq} ${reason}`),
  };
  let operator = make(context);
  const output: string[] = [];
  for (const epoch of epochsOf(text, schemas)) {
    const [first] = epoch;
    const last = epoch.at(-1);
    if (first === undefined || last === undefined) continue;
    const n = last.seq - first.seq + 1;
    const appendTime = new Float64Array(n);
    for (const line of epoch) appendTime.fill(line.clock, line.seq - first.seq);
    const inputs = schemas.map((schema, port) =>
      batchesOf(
        epoch.filter(line => line.port === port),
        schema,
      ),
    );
    const out = operator.step({ firstSeq: first.seq, n, appendTime }, inputs);
    output.push(...out.flatMap(linesOf));
    after?.(operator);
    if (!restart) continue;
    const state = structuredClone(operator.state());
    operator = make(context);
    if (state !== null) operator.load(state);
  }
  return { output: output.join('\n'), rejected };
}

/** The text with comments and indentation gone, as outputs are written. */
export function table(text: string): string {
  return text
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim().replace(/\s+/g, ' '))
    .filter(line => line !== '')
    .join('\n');
}

function epochsOf(text: string, schemas: readonly Schema[]): Line[][] {
  const epochs: Line[][] = [[]];
  let clock = 0;
  for (const line of table(text).split('\n')) {
    if (line === '--') {
      epochs.push([]);
      continue;
    }
    const words = line.split(' ');
    if (words[0] === 'tick') {
      clock = Number(words[2]);
      epochs.at(-1)?.push({ port: 0, seq: Number(words[1]), clock, change: null });
      continue;
    }
    const port = schemas.length > 1 && words.shift() === 'r' ? 1 : 0;
    const { columns } = schemas[port] as Schema;
    const [seq = '', time = '', sign = '', ...values] = words;
    const noValue = values[0] === '()';
    const row = columns.map((c, i) => (noValue ? null : cellValue(values[i], c.type)));
    const op = SIGNS[sign as keyof typeof SIGNS];
    const change = { time: Number(time), op, row, noValue };
    epochs.at(-1)?.push({ port, seq: Number(seq), clock, change });
  }
  return epochs;
}

function cellValue(text: string | undefined, type: SqlType): Value | null {
  if (text === undefined || text === '~') return null;
  if (type.kind === 'BIGINT') return BigInt(text);
  if (type.kind === 'BOOLEAN') return text === 'true';
  return type.kind === 'STRING' ? text : Number(text);
}

function batchesOf(epoch: readonly Line[], schema: Schema): Batch[] {
  const lines = epoch.flatMap(l => (l.change === null ? [] : [{ ...l.change, seq: l.seq }]));
  if (lines.length === 0) return [];
  return [
    batchOf({
      schema,
      rows: lines.map(l => l.row),
      seq: lines.map(l => l.seq),
      rowtime: lines.map(l => l.time),
      op: lines.some(l => l.op !== Op.ADD) ? lines.map(l => l.op) : undefined,
      noValue: lines.some(l => l.noValue) ? lines.map(l => l.noValue) : undefined,
    }),
  ];
}

function linesOf(batch: Batch): string[] {
  const { key, columns } = batch.schema;
  return [...selectedRows(batch)].map(i => {
    const op = batch.op?.[i] ?? Op.ADD;
    const row = rowAt(batch, i);
    const shown = op === Op.DELETE ? key : [...columns.keys()];
    const values = shown.map(c => (row[c] === null ? '~' : String(row[c])));
    return `${batch.seq[i]} ${batch.rowtime[i]} ${SIGN_OF[op]} ${values.join(' ')}`;
  });
}
