import type { Commands } from '../commands/commands.ts';
import type { Clock } from '../core/clock.ts';
import type { Column } from '../core/schema.ts';
import type { Row, Value } from '../core/value.ts';
import type { LogBackups } from '../deploy/log-backups.ts';
import type { LogKeeper } from '../deploy/log-keeper.ts';
import type { ViewAccess } from '../deploy/view-access.ts';
import type { EventLog } from '../log/event-log.ts';
import type { SinkStatus } from '../sinks/sink-runner.ts';

/** What the HTTP side needs; `main.ts` wires it. */
export interface HttpPorts {
  readonly log: EventLog;
  readonly backups: Pick<LogBackups, 'start' | 'status'>;
  readonly keeper: Pick<LogKeeper, 'acts' | 'underWay' | 'preview' | 'perform'>;
  readonly commands: Commands;
  readonly views: ViewAccess;
  readonly queries: QueryRunner;
  readonly sinks: SinkSource;
  readonly status: StatusSource;
  readonly text: RowText;
  readonly clock: Clock;
  /** the candidate that a misspelt name most likely means, or null */
  readonly suggest: (name: string, candidates: Iterable<string>) => string | null;
  /** called for failures that are ours: with the stack; clients get `internal` and an id */
  readonly onError: (error: unknown, id: string) => void;
}

/** Rows of views as text; keeps types and exactness out of HTTP. */
export interface RowText {
  json(columns: readonly Column[], numbers: 'string' | 'json'): (row: Row) => string;
  csv(columns: readonly Column[]): { readonly header: string; row(row: Row): string };
  /** a value of a column from the text of a URL; throws `request_invalid` */
  parse(column: Column, text: string): Value;
  /** < 0, 0, > 0 for two non-null values of a column */
  compare(column: Column, a: Value, b: Value): number;
}

/** An ad hoc SELECT over views and the last records of topics. */
export interface QueryRunner {
  /** Throws MillraceErrors with places in `<query>`; `limit_exceeded` when it reads or returns too much. */
  run(sql: string): QueryResult;
}

export interface QueryResult {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly position: number;
  /** true when rows beyond the limit were left out */
  readonly truncated: boolean;
}

/** The views that are kept elsewhere. */
export interface SinkSource {
  list(): readonly SinkStatus[];
  /** throws `unknown_sink` */
  status(name: string): SinkStatus;
  /** whether its rows have reached a position within `ms`; throws `unknown_sink` */
  reaches(name: string, seq: number, ms: number): Promise<boolean>;
}

export interface StatusSource {
  /** JSON-safe document for GET /status */
  status(): Promise<Record<string, unknown>>;
  /** null when ready, else why not */
  notReady(): string | null;
  /** for metrics; absent without Kafka */
  readonly kafka?: (() => KafkaFigures) | undefined;
  /** JSON-safe: `nodes` and `edges`, for GET /topology */
  topology(): { readonly nodes: readonly unknown[]; readonly edges: readonly unknown[] };
  /** rows and bytes of state per view and operator, for metrics */
  sizes(): Promise<
    readonly {
      readonly view: string;
      readonly operator: string;
      readonly rows: number;
      readonly bytes: number;
    }[]
  >;
  /** bytes of operator state that all views together may have */
  readonly memoryBudget: number;
  /** counts of the ledger */
  ledger(): readonly {
    readonly view: string;
    readonly reason: string;
    readonly hour: number;
    readonly count: number;
  }[];
}

/** What is copied from Kafka, handled and written there, in numbers. */
export interface KafkaFigures {
  readonly up: boolean;
  readonly topics: readonly {
    readonly topic: string;
    /** per partition; null: not known now */
    readonly lags: readonly (number | null)[];
    readonly gaps: number;
  }[];
  /** commands that wait for the handlers of all nodes; null: none are shared, or not known now */
  readonly commands: readonly { readonly partition: number; readonly lag: number }[] | null;
  readonly outputs: readonly {
    readonly topic: string;
    readonly state: string;
    readonly lag: number | null;
  }[];
}

export interface HttpLimits {
  /** bytes of a request body */
  readonly body: number;
  /** rows of a page at most */
  readonly page: number;
  /** ms that `wait=` may ask for */
  readonly wait: number;
  /** SSE and WebSocket subscriptions at once */
  readonly subscriptions: number;
  /** bytes that a slow subscriber may leave unread before it is dropped */
  readonly backlog: number;
}

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  /** required beyond loopback: `Authorization: Bearer ...` */
  readonly token: string | null;
  readonly limits: HttpLimits;
}
