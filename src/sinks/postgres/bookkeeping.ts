import { MillraceError } from '../../core/errors.ts';
import type { SinkState } from '../sink-target.ts';
import type { Connection } from './connection.ts';
import { sqlState } from './failure.ts';
import { literal, quoted } from './table-shape.ts';

/** Where each sink of a schema stands: one row, changed in the transactions that change its table. */
export const SINKS_TABLE = 'millrace_sinks';

/** the rule that one table is kept by one sink */
const ONE_SINK = 'millrace_sinks_table_name_key';

export interface BookkeepingOptions {
  readonly schema: string;
  readonly table: string;
  readonly sink: string;
}

/** One more writer of the same row is refused: it would find another position than it left. */
export class Bookkeeping {
  readonly #options: BookkeepingOptions;
  readonly #table: string;

  constructor(options: BookkeepingOptions) {
    this.#options = options;
    this.#table = `${quoted(options.schema)}.${quoted(SINKS_TABLE)}`;
  }

  /** Makes the schema and the table where they are missing; a table of before gets its second key. */
  async prepare(connection: Connection): Promise<void> {
    const { schema } = this.#options;
    const [found] = await connection.run('SELECT to_regnamespace($1) IS NOT NULL AS schema', [
      quoted(schema),
    ]);
    if (found?.schema !== true) await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`);
    if (await this.#ruled(connection)) return;
    try {
      await this.#create(connection);
    } catch (error) {
      await connection.script('ROLLBACK').catch(() => {}); // the first failure is the one to tell
      if (sqlState(error) !== '23505') throw error;
      throw new MillraceError('sink_refused', `${this.#table} has two sinks that keep one table`, {
        hint: `leave one of them there: DELETE FROM ${this.#table} WHERE sink = '...'`,
        cause: error,
      });
    }
  }

  /** Whether the table is there, with its rule that no two sinks keep one table. */
  async #ruled(connection: Connection): Promise<boolean> {
    const found = await connection.run(
      'SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass($1) AND conname = $2',
      [this.#table, ONE_SINK],
    );
    return found.length > 0;
  }

  async #create(connection: Connection): Promise<void> {
    // two sinks may come here at once, and IF NOT EXISTS alone does not keep them apart
    await connection.script(`BEGIN;
      SET LOCAL lock_timeout = '5s';
      SELECT pg_advisory_xact_lock(hashtext('${SINKS_TABLE}'));
      CREATE TABLE IF NOT EXISTS ${this.#table} (
        sink text PRIMARY KEY,
        table_name text NOT NULL CONSTRAINT ${ONE_SINK} UNIQUE,
        log text NOT NULL,
        version text NOT NULL,
        position bigint NOT NULL,
        updated timestamptz NOT NULL DEFAULT now()
      )`);
    // one that an earlier version of Millrace has made lacks it
    if (!(await this.#ruled(connection))) {
      await connection.run(`ALTER TABLE ${this.#table} ADD CONSTRAINT ${ONE_SINK} UNIQUE (table_name)`);
    }
    await connection.script('COMMIT');
  }

  /** The state, if it is that of this table. */
  async read(connection: Connection): Promise<SinkState | null> {
    const { sink, table } = this.#options;
    const [found] = await connection.run(
      `SELECT log, version, position FROM ${this.#table} WHERE sink = $1 AND table_name = $2`,
      [sink, table],
    );
    if (found === undefined) return null;
    return { log: String(found.log), version: String(found.version), position: Number(found.position) };
  }

  /** Throws `sink_refused` when another sink keeps the same table. */
  async refuseShared(connection: Connection): Promise<void> {
    const { sink, table } = this.#options;
    const [other] = await connection.run(
      `SELECT sink FROM ${this.#table} WHERE sink <> $1 AND table_name = $2`,
      [sink, table],
    );
    if (other === undefined) return;
    throw this.#shared(`sink "${String(other.sink)}"`, String(other.sink));
  }

  /** Within a transaction. Throws `sink_conflict` when it does not stand at `from`. */
  async move(connection: Connection, from: SinkState, to: SinkState): Promise<void> {
    const moved = await connection.count(
      `UPDATE ${this.#table} SET position = $1, updated = now()
        WHERE sink = $2 AND table_name = $3 AND log = $4 AND version = $5 AND position = $6`,
      [to.position, this.#options.sink, this.#options.table, from.log, from.version, from.position],
    );
    if (moved !== 1) throw this.#conflict();
  }

  /** Within a transaction: a new copy stands in. Throws `sink_conflict` when it does not stand at `before`. */
  async begin(connection: Connection, before: SinkState | null, to: SinkState): Promise<void> {
    const { sink, table } = this.#options;
    // each is one statement: it waits for another writer of the row, and then sees what that one has left
    const next = [sink, table, to.log, to.version, to.position];
    try {
      const begun =
        before === null
          ? await connection.count(
              `INSERT INTO ${this.#table} AS now (sink, table_name, log, version, position) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (sink) DO UPDATE SET table_name = EXCLUDED.table_name, log = EXCLUDED.log,
                 version = EXCLUDED.version, position = EXCLUDED.position, updated = now()
               WHERE now.table_name <> EXCLUDED.table_name`,
              next,
            )
          : await connection.count(
              `UPDATE ${this.#table} SET log = $3, version = $4, position = $5, updated = now()
                WHERE sink = $1 AND table_name = $2 AND log = $6 AND version = $7 AND position = $8`,
              [...next, before.log, before.version, before.position],
            );
      if (begun !== 1) throw this.#conflict();
    } catch (error) {
      // both were started together, and the other one was faster
      if (sqlState(error) === '23505') throw this.#shared('another sink', '...', error);
      throw error;
    }
  }

  #shared(by: string, sink: string, cause?: unknown): MillraceError {
    return new MillraceError('sink_refused', `table "${this.#options.table}" is kept by ${by}`, {
      hint: `name another table; if that sink is no more: DELETE FROM ${this.#table} WHERE sink = ${literal(sink)}`,
      cause,
    });
  }

  #conflict(): MillraceError {
    const { sink, table } = this.#options;
    return new MillraceError('sink_conflict', `somebody else writes sink "${sink}" to table "${table}"`, {
      hint: 'two servers need two sinks and two tables',
    });
  }
}
