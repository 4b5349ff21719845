import { MillraceError } from '../../core/errors.ts';
import type { Relation, Select, WindowClause } from '../../sql/ast.ts';
import { type Dialect, identifierText, intervalText, nameText } from './dialect.ts';
import type { Notes } from './notes.ts';

export interface WindowedFrom {
  /** what stands behind FROM */
  readonly from: string;
  /** instants, as names */
  readonly start: string;
  readonly end: string;
  /** what GROUP BY needs besides the keys */
  readonly groupBy: readonly string[];
  /** conditions of WHERE that stand in FROM already */
  readonly filtered: boolean;
}

export interface WindowContext {
  readonly dialect: Dialect;
  readonly notes: Notes;
  readonly select: Select;
  /** texts of the GROUP BY expressions, and of the condition of WHERE with what drops NULL keys, or null */
  readonly keys: readonly string[];
  readonly where: string | null;
}

const EPOCH = "TIMESTAMP '1970-01-01 00:00:00'";

/** FROM with the window's bounds as columns `window_start` and `window_end`. */
export function windowedFrom(window: WindowClause, context: WindowContext): WindowedFrom {
  const { dialect, notes, select } = context;
  if (select.from?.kind !== 'table') {
    throw new MillraceError('not_supported', 'a WINDOW over anything but one stream cannot be exported', {
      hint: 'make what stands in FROM a view of its own, and export both',
    });
  }
  notes.add('rowtime: a TIMESTAMP column of the event time is expected in what is read');
  if (window.grace !== null) notes.add('GRACE PERIOD is left out: late rows count there');
  else if (context.dialect !== 'flink')
    notes.add('late rows count there: the default grace of 24 hours is left out');
  if (window.retention !== null) notes.add('RETENTION is left out: windows are kept there');
  if (dialect === 'flink') {
    notes.add('how late rows may come is said by the WATERMARK of the table in Flink');
    return ofFlink(window, select.from, context);
  }
  return window.type === 'session'
    ? sessions(window, select.from, context)
    : buckets(window, select.from, context);
}

type Table = Relation & { kind: 'table' };

function ofFlink(window: WindowClause, table: Table, { dialect, notes, keys }: WindowContext): WindowedFrom {
  const name = identifierText(table.name, dialect);
  const size = intervalText(window.size, dialect);
  const time = 'DESCRIPTOR(`rowtime`)';
  const call = {
    tumbling: () => `TUMBLE(TABLE ${name}, ${time}, ${size})`,
    hopping: () =>
      `HOP(TABLE ${name}, ${time}, ${intervalText(window.advance ?? window.size, dialect)}, ${size})`,
    session: () => `SESSION(TABLE ${name} PARTITION BY (${keys.join(', ')}), ${time}, ${size})`,
  }[window.type]();
  if (window.type === 'hopping')
    notes.add('the size of a hopping window must be a multiple of its advance in Flink');
  const start = nameText('window_start', dialect);
  const end = nameText('window_end', dialect);
  return {
    from: `TABLE(${call}) AS ${identifierText(table.alias ?? table.name, dialect)}`,
    start,
    end,
    groupBy: [start, end],
    filtered: false,
  };
}

function bucket(width: number, dialect: Dialect): string {
  const interval = intervalText(width, dialect);
  return dialect === 'duckdb'
    ? `time_bucket(${interval}, rowtime, ${EPOCH})`
    : `date_bin(${interval}, rowtime, ${EPOCH})`;
}

const BOUNDS = { start: 'window_start', end: 'window_end', groupBy: ['window_start', 'window_end'] };

/** Tumbling: the bucket of each row. Hopping: each bucket of `advance` that the row's windows begin with. */
function buckets(window: WindowClause, table: Table, { dialect }: WindowContext): WindowedFrom {
  const name = identifierText(table.name, dialect);
  const alias = identifierText(table.alias ?? table.name, dialect);
  const size = intervalText(window.size, dialect);
  const advance = window.advance ?? window.size;
  if (window.type === 'tumbling' || advance === window.size) {
    const start = bucket(window.size, dialect);
    return {
      from: `(SELECT *, ${start} AS window_start, ${start} + ${size} AS window_end FROM ${name}) AS ${alias}`,
      ...BOUNDS,
      filtered: false,
    };
  }
  const back = Math.ceil(window.size / advance) - 1;
  const series =
    dialect === 'duckdb'
      ? `(SELECT unnest(generate_series(0, ${back})) AS back) AS hops`
      : `generate_series(0, ${back}) AS hops (back)`;
  const start = `${bucket(advance, dialect)} - back * ${intervalText(advance, dialect)}`;
  const hopped = `SELECT *, ${start} AS window_start, ${start} + ${size} AS window_end FROM ${name} CROSS JOIN ${series}`;
  return {
    from: `(SELECT * FROM (${hopped}) AS hopped WHERE rowtime < window_end) AS ${alias}`,
    ...BOUNDS,
    filtered: false,
  };
}

/** A row begins a session when the one before it with the same key is further away than the gap. */
function sessions(window: WindowClause, table: Table, { dialect, keys, where }: WindowContext): WindowedFrom {
  const name = identifierText(table.name, dialect);
  const alias = identifierText(table.alias ?? table.name, dialect);
  const gap = intervalText(window.size, dialect);
  const by = `PARTITION BY ${keys.join(', ')} ORDER BY rowtime`;
  const filter = where === null ? '' : ` WHERE ${where}`;
  const begun = `SELECT *, CASE WHEN rowtime - lag(rowtime) OVER (${by}) <= ${gap} THEN 0 ELSE 1 END AS begins FROM ${name} AS ${alias}${filter}`;
  const numbered = `SELECT *, SUM(begins) OVER (${by}) AS session_number FROM (${begun}) AS ${alias}`;
  return {
    from: `(${numbered}) AS ${alias}`,
    start: 'MIN(rowtime)',
    end: 'MAX(rowtime)',
    groupBy: ['session_number'],
    filtered: true,
  };
}
