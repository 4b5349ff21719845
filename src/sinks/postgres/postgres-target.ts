import { assert } from '../../core/assert.ts';
import { MillraceError } from '../../core/errors.ts';
import type { ServedRow, ViewChange } from '../../deploy/view-access.ts';
import type {
  JsonOf,
  SinkKind,
  SinkLoad,
  SinkState,
  SinkTarget,
  SinkView,
  TargetEvents,
} from '../sink-target.ts';
import { Bookkeeping } from './bookkeeping.ts';
import { carryOver } from './carry-over.ts';
import { holds } from './column-types.ts';
import { Connection, type CopyIn } from './connection.ts';
import { foundTable, misfits } from './found-table.ts';
import { exchangeRows, ties } from './row-exchange.ts';
import { RowWriter } from './row-writer.ts';
import {
  columnList,
  onConflict,
  quoted,
  type TableColumn,
  type TableShape,
  tableShape,
} from './table-shape.ts';
import { addKey, freshName, swapTables } from './table-swap.ts';

export interface PostgresOptions {
  readonly sink: string;
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  readonly schema: string;
  readonly table: string;
  readonly json: JsonOf;
}

/** A view as a table of PostgreSQL. */
export function postgresSink(options: PostgresOptions): SinkKind {
  return {
    place: `postgres ${options.schema}.${options.table}`,
    make: events => new PostgresTarget(options, events),
  };
}

/** changes from which on COPY into a staging table is faster than statements with parameters */
const STAGED_FROM = 64;
/** parameters of one statement: the protocol counts them in 16 bits */
const MAX_PARAMETERS = 60_000;
const STAGING = 'pg_temp.millrace_staging';
/** ms between attempts to swap tables while somebody reads the old one */
const SWAP_RETRY = 250;

/** What `open` has found out for one version of the view. */
interface Kept {
  readonly shape: TableShape;
  readonly writer: RowWriter;
  /** types of the columns that are there: a fresh table keeps those that fit */
  readonly types: ReadonlyMap<string, string>;
}

class PostgresTarget implements SinkTarget {
  readonly #options: PostgresOptions;
  readonly #events: TargetEvents;
  readonly #books: Bookkeeping;
  readonly #table: string;
  #connection: Connection | null = null;
  #closed = false;
  #kept: Kept | null = null;
  /** as it stands in the books */
  #state: SinkState | null = null;
  #loading = false;
  #staging: TableShape | null = null;

  constructor(options: PostgresOptions, events: TargetEvents) {
    this.#options = options;
    this.#events = events;
    this.#books = new Bookkeeping(options);
    this.#table = `${quoted(options.schema)}.${quoted(options.table)}`;
  }

  async open(view: SinkView): Promise<SinkState | null> {
    if (this.#loading) this.#drop();
    const connection = await this.#connected();
    const shape = tableShape(view);
    await this.#books.prepare(connection);
    await this.#books.refuseShared(connection);
    const state = await this.#books.read(connection);
    const found = await foundTable(connection, this.#table);
    this.#state = state;
    this.#kept = {
      shape,
      writer: new RowWriter(shape, this.#options.json),
      types: found?.columns ?? new Map(),
    };
    if (found === null) return null;
    // the table of another version is replaced as a whole
    if (state !== null && state.version !== view.version) return state;
    const wrong = misfits(found, shape);
    if (wrong.length > 0) {
      throw new MillraceError(
        'sink_refused',
        `table ${this.#table} does not fit the view: ${wrong.join('; ')}`,
        { hint: 'alter it, or drop it: it is then made anew' },
      );
    }
    if (state === null && !found.empty) {
      throw new MillraceError(
        'sink_refused',
        `table ${this.#table} has rows that this sink has not written`,
        { hint: 'name another table, or empty this one' },
      );
    }
    return state;
  }

  async load(): Promise<SinkLoad> {
    const connection = this.#open();
    const kept = this.#opened();
    const { schema, table } = this.#options;
    const fresh = `${quoted(schema)}.${quoted(freshName(table))}`;
    const columns = kept.shape.columns.map(c => `${quoted(c.name)} ${typeOf(c, kept.types)}`);
    this.#loading = true;
    // all in one transaction: nobody sees the copy before it is complete, and nothing is left of one that is not
    await connection.script(`BEGIN; CREATE TABLE ${fresh} (${columns.join(', ')})`);
    let copy: CopyIn | null = connection.copy(`COPY ${fresh} (${columnList(kept.shape)}) FROM STDIN`);
    const filled = async () => {
      if (copy === null) return;
      await copy.end();
      copy = null;
      await addKey(connection, fresh, kept.shape);
    };
    return {
      rows: async (rows: readonly ServedRow[]) => {
        assert(copy !== null, 'rows come before changes');
        await copy.write(kept.writer.rows(rows));
      },
      changes: async (changes: readonly ViewChange[]) => {
        await filled();
        await this.#merge(connection, fresh, changes);
      },
      commit: async (state: SinkState) => {
        await filled();
        await this.#commitLoad(connection, fresh, state);
      },
    };
  }

  async apply(changes: readonly ViewChange[], from: SinkState, to: SinkState): Promise<void> {
    const connection = this.#open();
    await connection.script('BEGIN');
    try {
      await this.#books.move(connection, from, to);
      if (changes.length > 0) await this.#merge(connection, this.#table, changes);
      await connection.script('COMMIT');
      this.#state = to;
    } catch (error) {
      await connection.script('ROLLBACK').catch(() => {}); // the first failure is the one to tell
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection?.close();
    this.#connection = null;
  }

  async #connected(): Promise<Connection> {
    if (this.#connection !== null) return this.#connection;
    const connection = await Connection.open({
      url: this.#options.url,
      sink: this.#options.sink,
      table: this.#table,
      lost: this.#events.lost,
    });
    if (this.#closed) {
      connection.close();
      throw new MillraceError('sink_unreachable', 'the sink is stopping');
    }
    this.#connection = connection;
    return connection;
  }

  #open(): Connection {
    if (this.#connection?.usable) return this.#connection;
    throw new MillraceError('sink_unreachable', 'the connection is gone');
  }

  #opened(): Kept {
    assert(this.#kept !== null, `sink ${this.#options.sink} was opened`);
    return this.#kept;
  }

  /** Nothing of a load stays; a COPY under way is ended by the end of its connection. */
  #drop(): void {
    this.#connection?.close();
    this.#connection = null;
    this.#staging = null;
    this.#loading = false;
  }

  async #commitLoad(connection: Connection, fresh: string, state: SinkState): Promise<void> {
    const old = this.#table;
    const { shape } = this.#opened();
    const [found] = await connection.run('SELECT to_regclass($1) IS NOT NULL AS there', [old]);
    const tied = found?.there === true ? await ties(connection, old) : [];
    const swaps = tied.length === 0;
    const left = found?.there === true && swaps ? await carryOver(connection, old, fresh) : [];
    await connection.run(`ANALYZE ${fresh}`);
    await this.#books.begin(connection, this.#state, state);
    if (swaps) {
      const swapped = await swapTables(connection, this.#options, shape, async () => {
        await new Promise(resolve => setTimeout(resolve, SWAP_RETRY));
      });
      if (swapped && left.length > 0) {
        this.#events.notice(`not carried over to the new table: ${left.join('; ')}`);
      }
    } else await exchangeRows(connection, { old, fresh, shape, tied });
    await connection.script('COMMIT');
    this.#state = state;
    this.#loading = false;
  }

  async #merge(connection: Connection, table: string, changes: readonly ViewChange[]): Promise<void> {
    const { shape, writer } = this.#opened();
    if (changes.length < STAGED_FROM) await this.#mergeFew(connection, table, changes);
    else {
      await this.#stagingFor(connection, shape);
      const copy = connection.copy(`COPY ${STAGING} (millrace_gone, ${columnList(shape)}) FROM STDIN`);
      for (let at = 0; at < changes.length; at += SLICE) {
        await copy.write(writer.staged(changes.slice(at, at + SLICE)));
        await new Promise(resolve => setImmediate(resolve)); // requests are answered meanwhile
      }
      await copy.end();
      const masks = new Set(changes.flatMap(c => (c.op === 'delete' ? [writer.goneMask(c)] : [])));
      for (const mask of masks) {
        const same = shape.key.map((column, k) => {
          const name = quoted(shape.columns[column]?.name ?? '');
          return (mask >> k) & 1 ? `t.${name} IS NULL` : `t.${name} = s.${name}`;
        });
        await connection.run(
          `DELETE FROM ${table} t USING ${STAGING} s WHERE s.millrace_gone = ${mask} AND ${same.join(' AND ')}`,
        );
      }
      await connection.run(
        `INSERT INTO ${table} (${columnList(shape)}) SELECT ${columnList(shape)} FROM ${STAGING}
          WHERE millrace_gone IS NULL ${onConflict(shape)}`,
      );
      // one merge a transaction, but for loads; it is emptied where it lies then, which leaves nothing to vacuum
      if (this.#loading) await connection.run(`TRUNCATE ${STAGING}`);
    }
  }

  async #mergeFew(connection: Connection, table: string, changes: readonly ViewChange[]): Promise<void> {
    const { shape, writer } = this.#opened();
    const width = shape.columns.length;
    const gone = changes.filter(c => c.op === 'delete');
    const here = changes.filter(c => c.op !== 'delete');
    const most = Math.max(1, Math.floor(MAX_PARAMETERS / width));
    for (let at = 0; at < gone.length; at += most) {
      const values: string[] = [];
      const rows = gone.slice(at, at + most).map(change => {
        const cells = writer.cells(change);
        const same = shape.key.map(column => {
          const { name, type } = shape.columns[column] as TableShape['columns'][number];
          const text = cells[column] ?? null;
          if (text === null) return `${quoted(name)} IS NULL`;
          return `${quoted(name)} = $${values.push(text)}::text::${type}`;
        });
        return `(${same.join(' AND ')})`;
      });
      await connection.run(`DELETE FROM ${table} WHERE ${rows.join(' OR ')}`, values);
    }
    for (let at = 0; at < here.length; at += most) {
      const part = here.slice(at, at + most);
      const rows = part.map((_, i) => `(${writer.parameters(1 + i * width)})`);
      await connection.run(
        `INSERT INTO ${table} (${columnList(shape)}) VALUES ${rows.join(', ')} ${onConflict(shape)}`,
        part.flatMap(change => writer.cells(change)),
      );
    }
  }

  async #stagingFor(connection: Connection, shape: TableShape): Promise<void> {
    if (this.#staging === shape) return;
    const columns = shape.columns.map(c => `${quoted(c.name)} ${c.type}`);
    await connection.script(`DROP TABLE IF EXISTS ${STAGING};
      CREATE TEMP TABLE millrace_staging (millrace_gone int, ${columns.join(', ')}) ON COMMIT DELETE ROWS`);
    this.#staging = shape;
  }
}

function typeOf({ name, type, of }: TableColumn, there: ReadonlyMap<string, string>): string {
  const found = there.get(name);
  return of !== null && found !== undefined && holds(found, of) ? found : type;
}

/** changes that become text in one turn of the event loop */
const SLICE = 500;
