import { MillraceError } from '../core/errors.ts';
import type { LogRecord } from '../core/log-record.ts';
import type { Column } from '../core/schema.ts';
import { BIGINT, STRING, TIMESTAMP } from '../core/sql-type.ts';
import type { Row } from '../core/value.ts';
import { keyBytes, prefixBytes } from '../dataflow/key-bytes.ts';
import type { Ledger } from '../dataflow/ledger.ts';
import { rowText } from '../dataflow/row-text.ts';
import type { SourceSpec } from '../plan/plan.ts';
import type { OpenView, ScanOptions, ServedRow, ViewAccess, ViewStatus } from './view-access.ts';

interface LedgerDefinition {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** how many of the first columns are the key */
  readonly keyed: number;
  rows(ledger: Ledger): Iterable<Row>;
}

const COUNTS: LedgerDefinition = {
  name: 'ledger',
  description: 'What did not reach a view: exact counts per view, reason and hour.',
  columns: [
    { name: 'view', type: STRING },
    { name: 'reason', type: STRING },
    { name: 'hour', type: TIMESTAMP },
    { name: 'records', type: BIGINT },
  ],
  keyed: 3,
  *rows(ledger) {
    for (const { view, reason, hour, count } of ledger.counts()) yield [view, reason, hour, BigInt(count)];
  },
};

const RECORDS: LedgerDefinition = {
  name: 'ledger_records',
  description:
    'The first and the last thousand records per view and reason that did not reach the view, and why.',
  columns: [
    { name: 'view', type: STRING },
    { name: 'reason', type: STRING },
    { name: 'sequence', type: BIGINT },
    { name: 'index', type: BIGINT },
    { name: 'time', type: TIMESTAMP },
    { name: 'message', type: STRING },
  ],
  keyed: 4,
  *rows(ledger) {
    for (const [view, reason] of new Map(
      ledger.counts().map(c => [`${c.view} ${c.reason}`, [c.view, c.reason] as const]),
    ).values()) {
      let index = 0n;
      let before = -1;
      for (const { seq, appendTime, message } of ledger.kept(view, reason)) {
        index = seq === before ? index + 1n : 0n;
        before = seq;
        yield [view, reason, BigInt(seq), index, appendTime, message];
      }
    }
  },
};

export const LEDGER_VIEWS: readonly LedgerDefinition[] = [COUNTS, RECORDS];

const JSON_FORMAT = { format: 'JSON', delimiter: ',', wrapSingle: true } as const;

/** The ledger's views as sources of one ad hoc query: streams over topics of their own that no log has. */
export function ledgerSources(taken: readonly (string | null)[]): readonly SourceSpec[] {
  const names = new Set(taken.map(n => n?.toLowerCase()));
  return LEDGER_VIEWS.filter(d => !names.has(d.name)).map(({ name, columns, description }) => ({
    kind: 'stream',
    name,
    topic: topicOf(name),
    columns: columns.map(c => ({ ...c, from: 'value', header: null })),
    keyFormat: { ...JSON_FORMAT, format: 'NONE' },
    valueFormat: JSON_FORMAT,
    timestamp: null,
    partitions: 1,
    window: null,
    description,
  }));
}

/** The rows of the ledger as records of one of these topics; null for any other topic. */
export function ledgerRecords(topic: string, ledger: Ledger): readonly LogRecord[] | null {
  const definition = LEDGER_VIEWS.find(d => topicOf(d.name) === topic);
  if (definition === undefined) return null;
  const json = rowText.json(definition.columns, 'json');
  return [...definition.rows(ledger)].map((row, i) => ({
    seq: i,
    topic,
    partition: 0,
    offset: i,
    timestamp: 0,
    appendTime: 0,
    key: null,
    value: Buffer.from(json(row), 'utf8'),
    headers: [],
  }));
}

const topicOf = (name: string) => `$${name}`;

/**
 * The views of the files, and the ledger as two more: `ledger` and `ledger_records`. A file of the same name wins. They
 * are kept by the server itself, so they have no changes to follow and nothing to replay.
 */
export function withLedger(views: ViewAccess, ledger: () => Ledger): ViewAccess {
  const builtIn = (name: string): LedgerDefinition | undefined => {
    const lower = name.toLowerCase();
    const found = LEDGER_VIEWS.find(d => d.name === lower);
    return found !== undefined && views.list().some(v => v.name.toLowerCase() === lower) ? undefined : found;
  };
  const refuse = (name: string, what: string): never => {
    throw new MillraceError('invalid_argument', `"${name}" is kept by the server: ${what}`);
  };
  return {
    list: () =>
      [
        ...views.list(),
        ...LEDGER_VIEWS.filter(d => builtIn(d.name)).map(d => statusOf(d, views.position())),
      ].sort((a, b) => (a.name < b.name ? -1 : 1)),
    status(name) {
      const found = builtIn(name);
      return found === undefined ? views.status(name) : statusOf(found, views.position());
    },
    open(name) {
      const found = builtIn(name);
      return found === undefined ? views.open(name) : new LedgerView(found, ledger(), views.position());
    },
    position: () => views.position(),
    waitFor: (seq, ms) => views.waitFor(seq, ms),
    subscribe(name, from, listener) {
      if (builtIn(name) !== undefined) refuse(name, 'read it again instead of following it');
      return views.subscribe(name, from, listener);
    },
    async replay(name) {
      if (builtIn(name) !== undefined) refuse(name, 'it is not replayed');
      return views.replay(name);
    },
    async cancelReplay(name) {
      return builtIn(name) === undefined && views.cancelReplay(name);
    },
  };
}

function statusOf({ name, description }: LedgerDefinition, position: number): ViewStatus {
  return {
    name,
    statement: 'view',
    state: 'live',
    serving: true,
    file: null,
    description,
    fingerprint: null,
    reads: [],
    readBy: [],
    position,
    build: null,
    errors: [],
    notices: [],
  };
}

class LedgerView implements OpenView {
  readonly statement = 'view';
  readonly sql = '';
  readonly fingerprint = 'built-in';
  readonly version = 'built-in';
  readonly windowed = false;
  readonly edition = 0;
  readonly position: number;
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  readonly key: readonly number[];
  readonly #rows: readonly ServedRow[];

  constructor(definition: LedgerDefinition, ledger: Ledger, position: number) {
    this.name = definition.name;
    this.description = definition.description;
    this.columns = definition.columns;
    this.position = position;
    this.key = definition.columns.slice(0, definition.keyed).map((_, i) => i);
    const types = this.#types();
    this.#rows = [...definition.rows(ledger)]
      .map(row => ({ key: keyBytes(row.slice(0, definition.keyed), types), row, rowtime: 0 }))
      .sort((a, b) => Buffer.compare(a.key, b.key));
  }

  get(key: Row): ServedRow | null {
    if (key.length !== this.key.length) return null;
    const wanted = keyBytes(key, this.#types());
    return this.#rows.find(r => Buffer.compare(r.key, wanted) === 0) ?? null;
  }

  *scan({ prefix, after, reverse }: ScanOptions = {}): Generator<ServedRow> {
    const range = prefix === undefined ? null : prefixBytes(prefix, this.#types());
    const rows = reverse ? this.#rows.toReversed() : this.#rows;
    for (const row of rows) {
      if (range !== null && Buffer.compare(row.key, range.start) < 0) continue;
      if (range?.end !== undefined && Buffer.compare(row.key, range.end) >= 0) continue;
      if (after !== undefined && Buffer.compare(row.key, after) * (reverse ? -1 : 1) <= 0) continue;
      yield row;
    }
  }

  #types() {
    return this.columns.slice(0, this.key.length).map(c => c.type);
  }
}
